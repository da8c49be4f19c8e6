// FLAC frames with correct checksums and random content.
#pragma once

#include "routes/meters/crc.hpp"
#include "tests/unit/routes/meters/feed.hpp"

namespace tollgate::routes::meters {

struct flac_frame_kind {
  unsigned block_size_code = 12;  // 4096 samples
  unsigned rate_code = 10;        // 48 kHz
  unsigned channels_code = 0;     // mono
  unsigned bits_code = 4;         // 16
  std::string extra = {};         // the fields announced by codes 6, 7 and 12 to 14
};

inline std::string flac_frame(std::uint8_t number, const flac_frame_kind& kind = {},
                              std::size_t content = 100) {
  auto frame = std::string{"\xFF\xF8"};
  frame += static_cast<char>(kind.block_size_code << 4 | kind.rate_code);
  frame += static_cast<char>(kind.channels_code << 4 | kind.bits_code << 1);
  frame += static_cast<char>(number & 0x7F);
  frame += kind.extra;
  frame += static_cast<char>(crc8(frame));
  frame += noise(content, number + 1U);
  return frame + big(crc16(0, frame), 2);
}

inline std::string flac_frames_of(std::size_t count, const flac_frame_kind& kind = {}) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += flac_frame(static_cast<std::uint8_t>(i), kind);
  return out;
}

// The content of STREAMINFO for mono of 16 bits.
inline std::string stream_info(std::uint32_t rate = 48'000, std::uint64_t samples = 0) {
  return big(4096, 2) + big(4096, 2) + std::string(6, '\0') +
         big(std::uint64_t{rate} << 44 | std::uint64_t{15} << 36 | samples, 8) +
         std::string(16, 'm');
}

inline std::string flac_head(std::string_view info) {
  return "fLaC" + big(0, 1) + big(info.size(), 3) + std::string{info} +
         std::string("\x84\0\0\x05", 4) + "hello";
}

}  // namespace tollgate::routes::meters
