// ID3v2 tags, which precede MP3 streams and many other formats.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "routes/meters/bytes.hpp"

namespace tollgate::routes::meters {

inline constexpr std::size_t id3v2_header_bytes = 10;

// The length of the tag at the start of `head`, with its header and footer (ID3v2.4, 3.1 and 3.4).
// Accepts what players accept (ffmpeg's ff_id3v2_match): any version except 0xFF, sizes of 7 bits
// per byte.
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

// A tag as taggers write it: version 2 to 4, revision 0, no undefined flags. No format has these
// bytes as its signature, and no text format continues like this after the first five.
inline bool is_ordinary_id3v2(std::string_view head) {
  return byte_at(head, 3) >= 2 && byte_at(head, 3) <= 4 && byte_at(head, 4) == 0 &&
         (byte_at(head, 5) & 0x0F) == 0;
}

}  // namespace tollgate::routes::meters
