#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Native FLAC (RFC 9639), also with ID3 tags around it, concatenated, or starting in the middle of
// a stream. The meter counts frames: the total in STREAMINFO may be missing or wrong. A frame
// counts in full once its header has arrived; ffmpeg also gives a truncated frame its full length.
std::unique_ptr<meter> make_flac_meter();

}  // namespace tollgate::routes::meters
