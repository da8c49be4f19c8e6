// The ends of a frame's scale factor bands (ISO/IEC 14496-3, 4.5.4).
#pragma once

#include <cstdint>
#include <vector>

namespace tollgate::routes::meters::aac {

// From 0 to the length of the window.
const std::vector<std::uint16_t>& long_bands(unsigned rate_index, bool short_frames);
const std::vector<std::uint16_t>& short_bands(unsigned rate_index, bool short_frames);

}  // namespace tollgate::routes::meters::aac
