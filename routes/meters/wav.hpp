#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// WAV (RIFF, big-endian RIFX), and for long files RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088).
//
// What counts are the bytes of the data chunks, divided by what the "fmt " chunk before them
// makes of them. The number of samples in "fact" is not believed. A size that was not known
// when the header was written (0, 0xFFFFFFFF) means all that follows; one that is too great, what
// there is. MPEG and ADTS frames in a WAV file count as in files of their own, also when they are
// passed off as 16-bit PCM: ffmpeg looks for them there and plays them.
std::unique_ptr<meter> make_wav_meter();

}  // namespace tollgate::routes::meters
