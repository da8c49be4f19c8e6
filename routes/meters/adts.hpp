#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// AAC in ADTS frames (ISO/IEC 13818-7 6.2, 14496-3 1.A.2.2), optionally after ID3v2 tags.
//
// The meter counts raw data blocks of 1024 samples at the header's rate. For HE-AAC the header
// states the core's rate, half of the output rate, and a block has twice as many output samples:
// the same time.
std::unique_ptr<meter> make_adts_meter();

}  // namespace tollgate::routes::meters
