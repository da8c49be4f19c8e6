#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Native FLAC (RFC 9639), also with ID3 tags around it, joined to others, or begun in the middle.
// What counts are the frames: their number in STREAMINFO may be missing or untrue. A frame counts
// whole when its header has come; ffmpeg gives a frame that is cut off its full length, too.
std::unique_ptr<meter> make_flac_meter();

}  // namespace tollgate::routes::meters
