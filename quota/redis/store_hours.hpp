// How the counters of hours are taken while they are read.
#pragma once

#include <functional>

#include "quota/redis/store.hpp"

namespace tollgate::quota::redis {

// Takes what read_hours() reads, in the order of hours. `store_hour` was read before the counters.
struct redis_store::hours_taker {
  std::function<bool(std::int64_t hour, std::string_view who, std::string_view packed)> counter;
  std::function<void(std::int64_t hour, std::int64_t store_hour)> end_of_hour = [](std::int64_t,
                                                                                   std::int64_t) {};
};

}  // namespace tollgate::quota::redis
