// How many requests each organization may make to the billing API: a rate, and how many at a time.
// They read more than a call writes, and the request rate of plans does not count them. One object
// for all threads of a process: such requests are rare beside calls, so a lock costs nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "config/settings.hpp"
#include "proxy/net/api/message.hpp"
#include "quota/ids.hpp"

namespace tollgate::proxy::admin {

class billing_limits {
 public:
  using steady_time = std::chrono::steady_clock::time_point;

  // Empty: the request may begin, and end() has to follow. Otherwise 429.
  std::optional<api_error> begin(const quota::org_id& org, const config::billing_settings& rules,
                                 steady_time now);
  // The request has been answered, or its event stream has begun.
  void end(const quota::org_id& org);

 private:
  struct caller {
    std::int64_t level = 0;  // a bucket: a request adds 60,000, `per_minute` drains in each ms
    steady_time at{};
    int open = 0;
  };
  void forget_idle(const config::billing_settings& rules, steady_time now);

  std::mutex mutex_;
  std::unordered_map<quota::org_id, caller> callers_;
  std::size_t forget_at_ = 1'000;  // when there are as many
};

}  // namespace tollgate::proxy::admin
