// Expected use until a future time, from the use of past days. Pure.
//
// A future day is expected to be like the same weekday of the last eight weeks, scaled to the level
// of the last seven days. Estimates use floating point and never decide a charge. The result is in
// whole micro-credits.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "quota/grants.hpp"

namespace tollgate::proxy::admin {

struct usage_history {
  static constexpr int most_days = 56;  // eight of each weekday

  std::chrono::sys_days first_day;   // of `days`
  std::vector<quota::credits> days;  // use per day, up to and including yesterday
  quota::credits today;              // so far
};

struct credit_range {
  quota::credits low, expected, high;  // in four cases of five the use is between `low` and `high`
};

class usage_pace {
 public:
  // Days before the first use are ignored: the customer had not started.
  usage_pace(usage_history history, quota::time_point now);

  int observed_days() const { return static_cast<int>(days_.size()); }

  // The use from now until `end`.
  credit_range until(quota::time_point end) const;

  // When the grants (in burn-down order) are used up or have expired; empty if that is not before
  // `horizon`.
  std::optional<quota::time_point> runs_out_at(quota::grant_list grants,
                                               quota::time_point horizon) const;

 private:
  double on(std::chrono::sys_days day) const;  // all numbers are micro-credits
  double between(quota::time_point from, quota::time_point to) const;
  void learn_weekdays();
  void learn_level();
  void learn_spread();
  void guess_from(quota::credits today);  // on the first day
  std::chrono::sys_days day_at(std::size_t i) const;

  quota::time_point now_;
  std::chrono::sys_days first_day_;
  std::vector<double> days_, tamed_;  // as they were, and with spikes reduced
  std::array<double, 7> weekday_{};   // Sunday first
  double level_ = 1;
  double spread_ = 0;  // standard deviation of one day
};

}  // namespace tollgate::proxy::admin
