#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Bytes without a container: MP3 or ADTS when they turn out to be frames of these (which a player
// tries, too), else what `otherwise` makes of them. Without `otherwise`, unmeasurable. All are
// counted side by side until it is clear; nothing is kept.
std::unique_ptr<meter> make_unpackaged_meter(std::unique_ptr<meter> otherwise);

}  // namespace tollgate::routes::meters
