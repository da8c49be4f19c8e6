#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// MPEG audio, layers I to III, versions 1, 2 and 2.5 (ISO/IEC 11172-3, 13818-3), in frames of any
// bit rate, also joined from several files; ID3v2 tags in front, ID3v1, APE and Lyrics3 behind.
//
// What counts are the frames. The first is not audio when it holds a Xing, Info or VBRI table; what
// the table says is not believed, but for the delay and padding of the encoder (LAME's, at most
// 0.2 s in all), which ffmpeg takes off. A table further on is silence, as for a player.
std::unique_ptr<meter> make_mp3_meter();

}  // namespace tollgate::routes::meters
