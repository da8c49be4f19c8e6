#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// AIFF and AIFF-C (Apple, "Audio Interchange File Format" 1.3 and AIFF-C draft of 1991). The meter
// counts the bytes of the sound chunk and divides them by the format in the common chunk, which may
// come later. It ignores the stated number of sample frames. A sound chunk with size 0 or at least
// 2^31, as written by encoders that cannot seek back, extends to the end of the file.
std::unique_ptr<meter> make_aiff_meter();

}  // namespace tollgate::routes::meters
