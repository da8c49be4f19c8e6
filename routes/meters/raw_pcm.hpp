#pragma once

#include <cstdint>
#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

struct pcm_format {
  std::uint32_t rate = 0;  // per second
  std::uint32_t channels = 0, bytes_per_sample = 0;
  bool operator==(const pcm_format&) const = default;
};

// Samples without a container. The bytes do not reveal the format, so the caller states it.
// Unmeasurable from the start if a number is zero.
std::unique_ptr<meter> make_raw_pcm_meter(pcm_format format);

}  // namespace tollgate::routes::meters
