#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// AIFF and AIFF-C (Apple, "Audio Interchange File Format" 1.3 and AIFF-C draft of 1991). What
// counts are the bytes of the sound chunk, divided by what the common chunk makes of them; it may
// also come behind. Its number of sample frames is not believed. A sound chunk of size 0 or of 2^31
// and more, as writers leave it that cannot go back, means all that follows.
std::unique_ptr<meter> make_aiff_meter();

}  // namespace tollgate::routes::meters
