// ID3v2 tags, which stand in front of MP3 streams and of much else.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "routes/meters/bytes.hpp"

namespace tollgate::routes::meters {

inline constexpr std::size_t id3v2_header_bytes = 10;

// The length of the tag that begins here, with its header and footer (ID3v2.4, 3.1 and 3.4).
// Takes what players take (ffmpeg's ff_id3v2_match): any version but 0xFF, sizes of 7 bits a byte.
inline std::optional<std::uint64_t> id3v2_bytes(std::string_view head) {
  if (head.size() < id3v2_header_bytes || !head.starts_with("ID3")) return std::nullopt;
  if (byte_at(head, 3) == 0xFF || byte_at(head, 4) == 0xFF) return std::nullopt;
  std::uint64_t size = 0;
  for (std::size_t i = 6; i < 10; ++i) {
    if (byte_at(head, i) >= 0x80) return std::nullopt;
    size = size << 7 | byte_at(head, i);
  }
  const bool footer = (byte_at(head, 5) & 0x10) != 0;
  return size + id3v2_header_bytes * (footer ? 2 : 1);
}

// As taggers write it: version 2 to 4, revision 0, and no flags that mean nothing. Then no format
// is known by these bytes, and nothing that is text goes on behind the first five.
inline bool is_ordinary_id3v2(std::string_view head) {
  return byte_at(head, 3) >= 2 && byte_at(head, 3) <= 4 && byte_at(head, 4) == 0 &&
         (byte_at(head, 5) & 0x0F) == 0;
}

}  // namespace tollgate::routes::meters
