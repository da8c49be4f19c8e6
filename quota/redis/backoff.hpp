// The pause before the next attempt to connect: it doubles, and a random half of it is left out, so
// that the sidecars of a store that comes back do not come at once. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "quota/clock.hpp"

namespace tollgate::quota::redis {

class backoff {
 public:
  backoff(milliseconds least, milliseconds most) : least_{least}, most_{most}, next_{least} {}

  // `random` is any number.
  milliseconds pause(std::uint64_t random) {
    const auto half = next_.count() / 2;
    const auto chosen =
        next_.count() - static_cast<std::int64_t>(random % (static_cast<std::uint64_t>(half) + 1));
    next_ = std::min(next_ * 2, most_);
    return milliseconds{chosen};
  }
  void reset() { next_ = least_; }

 private:
  milliseconds least_, most_, next_;
};

}  // namespace tollgate::quota::redis
