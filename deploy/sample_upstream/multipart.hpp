// Reads a multipart/form-data body (RFC 7578) as it passes: small fields are stored, a file is only
// counted. Memory does not depend on the size, and the result does not depend on how the bytes are
// split.
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
  // The value of a field that is not a file: its first bytes. Empty if there was none.
  std::string_view field(std::string_view name) const;
  // The size of the part called `file`; empty if there was none.
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
  // A body may begin with its first delimiter, without a line break before it.
  std::string held_ = "\r\n";
  state state_ = state::preamble;
  std::map<std::string, std::string, std::less<>> fields_;
  std::string* value_ = nullptr;  // the destination of the current part; null for a file
  bool is_file_ = false;
  std::optional<std::uint64_t> file_bytes_;
};

// The boundary in a Content-Type of multipart/form-data; empty for any other type.
std::string multipart_boundary(std::string_view content_type);

}  // namespace tollgate::sample_upstream
