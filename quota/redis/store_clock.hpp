// The store's own time, estimated from what it said last.
#pragma once

#include <chrono>

#include "quota/clock.hpp"

namespace tollgate::quota::redis {

class store_clock {
 public:
  time_point now() const {
    return store_time_ + std::chrono::duration_cast<milliseconds>(steady::now() - heard_at_);
  }
  void heard(time_point store_time) {
    store_time_ = store_time;
    heard_at_ = steady::now();
  }

 private:
  using steady = std::chrono::steady_clock;

  time_point store_time_ = system_clock{}.now();  // until the store has said otherwise
  steady::time_point heard_at_ = steady::now();
};

}  // namespace tollgate::quota::redis
