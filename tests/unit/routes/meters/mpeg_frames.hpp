// Empty frames of MPEG audio and ADTS.
#pragma once

#include <optional>

#include "tests/unit/routes/meters/feed.hpp"

namespace tollgate::routes::meters {

inline std::string mpeg_frame(std::uint32_t header, std::size_t bytes) {
  return big(header, 4) + std::string(bytes - 4, 'x');
}

// Version 1, layer III, 128 kbit/s, 44.1 kHz, stereo.
inline std::string layer3(std::size_t frames) {
  return repeat(mpeg_frame(0xFFFB9000, 417), frames);
}

struct xing_table {
  std::uint32_t frames = 0, delay = 0, padding = 0;
  std::string_view encoder = "LAME3.100";
};

inline std::string xing_frame(std::string_view name, std::optional<xing_table> table) {
  auto out = mpeg_frame(0xFFFB9000, 417);
  std::string content{name};
  if (table) {
    content +=
        big(0xF, 4) + big(table->frames, 4) + big(99, 4) + std::string(100, 't') + big(50, 4);
    content += std::string{table->encoder} + noise(12);
    content += big(std::uint64_t{table->delay} << 12 | table->padding, 3);
  } else {
    content += big(0, 4);
  }
  out.replace(36, content.size(), content);
  return out;
}

inline std::string vbri_frame() {
  auto out = mpeg_frame(0xFFFB9000, 417);
  return out.replace(36, 4, "VBRI");
}

// `bytes` includes the header of 7; the index of the rate is as in ISO/IEC 14496-3, table 1.18.
inline std::string adts_frame(unsigned rate_index, std::size_t bytes, unsigned blocks = 1) {
  const std::uint64_t header = std::uint64_t{0xFFF1} << 40 | std::uint64_t{1} << 38 |
                               std::uint64_t{rate_index} << 34 | std::uint64_t{2} << 30 |
                               bytes << 13 | 0x7FF << 2 | (blocks - 1);
  return big(header, 7) + std::string(bytes - 7, 'x');
}

}  // namespace tollgate::routes::meters
