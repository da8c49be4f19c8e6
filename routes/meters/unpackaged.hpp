#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Bytes without a container: MP3 or ADTS if they turn out to be such frames (players try this,
// too), otherwise the format of `otherwise`. Without `otherwise`, unmeasurable. All candidates
// count in parallel until one wins; nothing is buffered.
std::unique_ptr<meter> make_unpackaged_meter(std::unique_ptr<meter> otherwise);

}  // namespace tollgate::routes::meters
