#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// WAV (RIFF, big-endian RIFX), and for long files RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088).
//
// The meter counts the bytes of the data chunks and divides them by the format in the preceding
// "fmt " chunk. It ignores the number of samples in "fact". If the size was unknown when the header
// was written (0, 0xFFFFFFFF), the chunk extends to the end; if the size is too large, only the
// existing bytes count. MPEG and ADTS frames in a WAV file count as in files of their own, even if
// they are declared as 16-bit PCM: ffmpeg searches for them there and plays them.
std::unique_ptr<meter> make_wav_meter();

}  // namespace tollgate::routes::meters
