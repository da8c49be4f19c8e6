#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// AAC in ADTS frames (ISO/IEC 13818-7 6.2, 14496-3 1.A.2.2), ID3v2 tags in front.
//
// What counts are the raw data blocks, of 1024 samples at the rate in the header. HE-AAC states its
// core's rate there, half of what is played, and its blocks are twice as many samples of that: the
// same time.
std::unique_ptr<meter> make_adts_meter();

}  // namespace tollgate::routes::meters
