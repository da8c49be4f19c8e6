#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// MPEG program streams (ISO/IEC 11172-1 and 13818-1: .mpeg, .mpg) with one MPEG audio stream and at
// most one MPEG video stream.
std::unique_ptr<meter> make_program_stream_meter();

}  // namespace tollgate::routes::meters
