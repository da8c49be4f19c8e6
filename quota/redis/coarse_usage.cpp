#include "quota/redis/coarse_usage.hpp"

#include <algorithm>
#include <chrono>

namespace tollgate::quota::redis {

namespace {

std::int64_t first_day_of_month(std::int64_t day) {
  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::sys_days{chrono::days{day}}};
  return chrono::sys_days{date.year() / date.month() / 1}.time_since_epoch().count();
}

}  // namespace

std::int64_t coarse_hour(std::int64_t hour, const coarsening& how) {
  const auto day = day_of(hour);
  const auto start = (how.by == usage_grain::day ? day : first_day_of_month(day)) * hours_a_day;
  const auto later = std::ranges::upper_bound(how.cycles, hour);
  return later == how.cycles.begin() ? start : std::max(start, *std::prev(later));
}

std::map<std::int64_t, day_summary> coarsened(const std::vector<day_summary>& days,
                                              const coarsening& how) {
  std::map<std::int64_t, day_summary> sums;
  for (const auto& day : days) {
    day.each([&](const std::string& who, std::int64_t hour, const day_summary::amounts& sum) {
      // What is older than the range has its place already.
      const auto to = std::max(coarse_hour(hour, how), how.first_day * hours_a_day);
      auto& into = sums.try_emplace(day_of(to), day_of(to)).first->second;
      into.count(who, to, sum);
    });
  }
  return sums;
}

}  // namespace tollgate::quota::redis
