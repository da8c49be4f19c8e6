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

// The boundary that a Content-Type names; nothing unless it names one, once, as RFC 2046 allows.
std::optional<std::string> boundary_of(std::string_view content_type);

struct multipart_settings {
  std::string audio;                // the name of the part: "file"
  std::vector<std::string> fields;  // names of short text fields to keep: "model"
};

// Passes on the content of the one part of that name. Faults, besides those of every reader:
//
// - ambiguous: two parts of the wanted name, or one of a name that some reader could take for it
//   (`File`, `file[]`; see member_name.hpp); the same for the fields. A field `_charset_`, and a
//   part that is not as long as it says. And boundaries that some parsers see and others do not:
//   their text anywhere but behind CRLF, at once behind the head of a part, with other text or
//   blanks on its line, or behind the closing one. And text in front of the first one, and behind
//   the last.
// - malformed: a head of more than 8 KiB, a wanted field of more than 256 bytes.
// - those of a part's head: see part_head.hpp.
class multipart final : public reader {
 public:
  static constexpr std::size_t longest_header = 8 * 1024, longest_field = 256;

  // A boundary of nothing is that of a content type that has none: the body is malformed.
  multipart(std::optional<std::string> boundary, multipart_settings settings, sink& target);

  // A boundary has come.
  bool has_begun() const { return state_ != state::preamble || failed(); }
  // What the part with the audio says of the file it was, in every way.
  const std::vector<std::string>& file_names() const { return file_names_; }
  // Null: there is no such field so far.
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
