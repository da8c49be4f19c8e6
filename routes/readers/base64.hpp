// Base64 (RFC 4648, sections 4 and 5), in pieces.
#pragma once

#include <cstdint>
#include <string_view>

#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

// Takes both alphabets, also mixed, and blanks anywhere, as decoders do. The padding may be left
// out. What stands behind padding makes a text malformed: some decoders stop there, others go on.
class base64_decoder {
 public:
  // Both return false when the text is malformed; nothing may be written after that.
  [[nodiscard]] bool write(std::string_view text, sink& out);
  // The end of a text. Another one may follow.
  [[nodiscard]] bool finish(sink& out);

 private:
  // Decodes as much as there is room for; takes it off the text.
  char* write_some(std::string_view& text, char* out, const char* end, bool& sound);
  bool take(unsigned char c);

  std::uint32_t bits_ = 0;
  unsigned characters_ = 0;  // of the group that is incomplete
  unsigned padding_ = 0;
  bool ended_ = false;
};

}  // namespace tollgate::routes::readers
