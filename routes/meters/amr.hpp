#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// AMR and AMR-WB in the storage format of RFC 4867, section 5, single and multi-channel. The meter
// counts frames of 20 ms each, including frames for silence and lost speech.
std::unique_ptr<meter> make_amr_meter();

}  // namespace tollgate::routes::meters
