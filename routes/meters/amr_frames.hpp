// The frame sizes of AMR and AMR-WB, by the first byte (3GPP TS 26.101 table 1a, TS 26.201 table
// 1a).
#pragma once

#include <cstdint>

namespace tollgate::routes::meters {

// Sizes include the first byte. Reserved types have no defined length; ffmpeg reads only their
// first byte.
inline constexpr std::uint8_t amr_narrow_band[16]{13, 14, 16, 18, 20, 21, 27, 32,
                                                  6,  1,  1,  1,  1,  1,  1,  1};
inline constexpr std::uint8_t amr_wide_band[16]{18, 24, 33, 37, 41, 47, 51, 59,
                                                61, 6,  1,  1,  1,  1,  1,  1};

constexpr std::uint8_t amr_frame_bytes(const std::uint8_t (&of_types)[16], std::uint8_t first) {
  return of_types[first >> 3 & 15];
}

}  // namespace tollgate::routes::meters
