// The text of a file, and the position of an offset in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.hpp"

namespace tollgate::config {

class source_text {
 public:
  explicit source_text(std::string_view text);

  // Lines and columns from 1; columns count characters, not bytes.
  source_position at(std::size_t offset) const;
  // `line` and `byte_column` count from 0, as in yaml-cpp; values beyond the text are clamped.
  std::size_t offset(std::size_t line, std::size_t byte_column) const;

  std::string_view from(std::size_t offset) const { return text_.substr(offset); }
  std::string_view line_around(std::size_t offset) const;

 private:
  std::size_t line_of(std::size_t offset) const;

  std::string_view text_;
  std::vector<std::size_t> line_starts_;
  std::vector<std::uint32_t> characters_before_;  // one per offset, the end included
};

// The first byte sequence that is not plain text: UTF-8 (RFC 3629) without control characters other
// than tabs and line breaks.
struct text_flaw {
  std::size_t offset = 0;
  std::string what;  // "not UTF-8"
};
std::optional<text_flaw> find_flaw(std::string_view text);

}  // namespace tollgate::config
