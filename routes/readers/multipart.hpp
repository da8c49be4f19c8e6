// Audio as a part of a form (multipart/form-data: RFC 7578, RFC 2046 section 5.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routes/readers/delimiter.hpp"
#include "routes/readers/part_head.hpp"
#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

// The boundary in a Content-Type; empty unless it has exactly one that RFC 2046 allows.
std::optional<std::string> boundary_of(std::string_view content_type);

struct multipart_settings {
  std::string audio;                // the name of the part: "file"
  std::vector<std::string> fields;  // names of short text fields to keep: "model"
};

// Passes on the content of the one part with that name. Faults, besides those of every reader:
//
// - ambiguous: two parts with the wanted name, or a part with a name that some reader could take
//   for it (`File`, `file[]`; see member_name.hpp); the same for the fields. A field `_charset_`,
//   and a part whose length differs from the length it states. Boundaries that some parsers see and
//   others do not: boundary text that does not follow CRLF, that directly follows the head of a
//   part, that has other text or blanks on its line, or that comes after the closing boundary. Text
//   before the first boundary or after the last.
// - malformed: a head of more than 8 KiB, a wanted field of more than 256 bytes.
// - those of a part's head: see part_head.hpp.
class multipart final : public reader {
 public:
  static constexpr std::size_t longest_header = 8 * 1024, longest_field = 256;

  // Without a boundary (the content type has none) the body is malformed.
  multipart(std::optional<std::string> boundary, multipart_settings settings, sink& target);

  // The first boundary has been read.
  bool has_begun() const { return state_ != state::preamble || failed(); }
  // The names of the file in the audio part's head, in all forms.
  const std::vector<std::string>& file_names() const { return file_names_; }
  // Null if the field has not been read.
  const std::string* field(std::string_view name) const;

 private:
  void read(std::string_view piece) override;
  void read_end() override;

  std::string_view read_content(std::string_view piece);
  void read_delimiter_line(char c);
  void read_header(char c);
  void end_header();
  void begin_part();
  bool is_meant_by_part(const std::string& wanted, bool found);
  void end_part();
  void take_content(std::string_view piece);
  void pass_on(std::string_view piece);

  enum class state : std::uint8_t { preamble, delimiter_line, header, content, epilogue };
  enum class line : std::uint8_t { open, dash, closing, cr, closing_cr };

  struct wanted_field {
    std::string name, text;
    bool found = false;
  };

  multipart_settings settings_;
  std::vector<wanted_field> fields_;
  delimiter delimiter_;
  stray_boundary stray_;
  state state_ = state::preamble;
  line line_ = line::open;
  std::string header_;
  part_head part_;
  std::vector<std::string> file_names_;  // of the audio
  std::uint64_t part_bytes_ = 0;
  bool in_audio_ = false, found_audio_ = false, has_preamble_ = false;
  wanted_field* in_field_ = nullptr;
};

}  // namespace tollgate::routes::readers
