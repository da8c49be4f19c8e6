// Incremental Base64 decoding (RFC 4648, sections 4 and 5).
#pragma once

#include <cstdint>
#include <string_view>

#include "routes/readers/reader.hpp"

namespace tollgate::routes::readers {

// Accepts both alphabets, also mixed, and blanks anywhere, as decoders do. Padding is optional.
// Characters after the padding make a text malformed: some decoders stop there, others continue.
class base64_decoder {
 public:
  // Both return false if the text is malformed; nothing may be written after that.
  [[nodiscard]] bool write(std::string_view text, sink& out);
  // Ends a text. Another one may follow.
  [[nodiscard]] bool finish(sink& out);

 private:
  // Decodes as much as fits into the output and removes it from the text.
  char* write_some(std::string_view& text, char* out, const char* end, bool& sound);
  bool take(unsigned char c);

  std::uint32_t bits_ = 0;
  unsigned characters_ = 0;  // of the incomplete group
  unsigned padding_ = 0;
  bool ended_ = false;
};

}  // namespace tollgate::routes::readers
