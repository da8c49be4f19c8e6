#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// AMR and AMR-WB in the storage format of RFC 4867, section 5, also with several channels. What
// counts are the frames, 20 ms each, which also stand for silence and lost speech.
std::unique_ptr<meter> make_amr_meter();

}  // namespace tollgate::routes::meters
