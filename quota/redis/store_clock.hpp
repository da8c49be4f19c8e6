// The store's own time, estimated from its last reply.
#pragma once

#include <chrono>
#include <cstdint>

#include "quota/clock.hpp"

namespace tollgate::quota::redis {

class store_clock {
 public:
  time_point now() const {
    return store_time_ + std::chrono::duration_cast<milliseconds>(steady::now() - heard_at_);
  }
  void synchronize(time_point store_time) {
    if (store_time + late_answer < now()) ++times_set_back_;
    store_time_ = store_time;
    heard_at_ = steady::now();
  }
  // How often the store's clock was found to be behind the estimate. A late answer looks the same.
  std::uint64_t times_set_back() const { return times_set_back_; }

 private:
  static constexpr milliseconds late_answer{1'000};
  using steady = std::chrono::steady_clock;

  time_point store_time_ = system_clock{}.now();  // until the store's first reply
  steady::time_point heard_at_ = steady::now();
  std::uint64_t times_set_back_ = 0;
};

}  // namespace tollgate::quota::redis
