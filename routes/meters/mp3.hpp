#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// MPEG audio, layers I to III, versions 1, 2 and 2.5 (ISO/IEC 11172-3, 13818-3), with frames of any
// bit rate, also concatenated from several files. ID3v2 tags may precede it; ID3v1, APE and Lyrics3
// tags may follow.
//
// The meter counts frames. The first frame is not audio if it contains a Xing, Info or VBRI table.
// The meter ignores the table's totals but subtracts the encoder's delay and padding (LAME's, at
// most 0.2 s in all), as ffmpeg does. A table in a later frame counts as silence, as in a player.
std::unique_ptr<meter> make_mp3_meter();

}  // namespace tollgate::routes::meters
