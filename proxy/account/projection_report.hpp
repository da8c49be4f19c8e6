// The forecast of a cycle's end: usage, money, and whether the credits last. Pure.
#pragma once

#include <string>

#include "proxy/account/projection.hpp"
#include "quota/account_history.hpp"

namespace tollgate::proxy::admin {

class projection_report {
 public:
  projection_report(const quota::account_snapshot& account, quota::time_point now);

  // The range of hours, ends included, whose counters the report needs.
  std::int64_t first_hour() const;
  std::int64_t last_hour() const;
  void add(const quota::usage_counter& counter);

  // The use from now until the cycle's end. Requires a cycle.
  credit_range until_cycle_end() const;

  std::string to_json() const;

 private:
  struct dollars {
    std::int64_t low, expected, high;  // cents
  };
  dollars overage_after(const credit_range& more) const;
  std::int64_t overage_cents(quota::credits more) const;
  std::optional<quota::time_point> runs_out_at(const usage_pace& pace) const;

  const quota::account_snapshot& account_;
  quota::time_point now_;
  usage_history history_;
};

}  // namespace tollgate::proxy::admin
