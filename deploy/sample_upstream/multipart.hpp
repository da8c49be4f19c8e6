// Reads a multipart/form-data body (RFC 7578) while it passes: small fields are kept, a file is
// counted and forgotten. Memory stays the same whatever the size, and so does the result however
// the bytes are cut into pieces.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::sample_upstream {

class multipart_reader {
 public:
  // `boundary` is the parameter of the Content-Type.
  explicit multipart_reader(std::string_view boundary)
      : delimiter_{"\r\n--" + std::string{boundary}} {}

  void write(std::string_view piece);

  bool is_complete() const { return state_ == state::complete; }
  // The value of a field that is no file: its first bytes. Empty when there was none.
  std::string_view field(std::string_view name) const;
  // Of the part called `file`; nothing when there was none.
  std::optional<std::uint64_t> file_bytes() const { return file_bytes_; }

 private:
  enum class state { preamble, boundary, head, content, complete, malformed };

  bool advance();
  bool pass_content();
  bool pass_boundary();
  bool pass_head();
  void begin_part(std::string_view head);
  void take(std::string_view content);

  const std::string delimiter_;
  // A body may begin with its first delimiter, which has no line break before it then.
  std::string held_ = "\r\n";
  state state_ = state::preamble;
  std::map<std::string, std::string, std::less<>> fields_;
  std::string* value_ = nullptr;  // where the present part goes; null for a file
  bool is_file_ = false;
  std::optional<std::uint64_t> file_bytes_;
};

// The boundary in a Content-Type of multipart/form-data; empty for any other type.
std::string multipart_boundary(std::string_view content_type);

}  // namespace tollgate::sample_upstream
