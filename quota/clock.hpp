// The only source of time, so that tests can control it.
#pragma once

#include <chrono>
#include <cstdint>

namespace tollgate::quota {

using milliseconds = std::chrono::milliseconds;
using time_point = std::chrono::sys_time<milliseconds>;  // UTC

// Hours since the Unix epoch: the granularity of usage counters and of the ledger's memory.
constexpr std::int64_t hour_of(time_point at) {
  return std::chrono::floor<std::chrono::hours>(at).time_since_epoch().count();
}

class clock {
 public:
  virtual ~clock() = default;
  virtual time_point now() const = 0;
};

class system_clock final : public clock {
 public:
  time_point now() const override {
    return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace tollgate::quota
