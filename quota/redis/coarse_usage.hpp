// Merges summaries of days further. Pure.
#pragma once

#include <map>

#include "quota/redis/day_summary.hpp"
#include "quota/retention.hpp"

namespace tollgate::quota::redis {

// The hour to which usage of `hour` is moved: never later, and never before the start of its cycle.
std::int64_t coarse_hour(std::int64_t hour, const coarsening& how);

// The remaining days; usage of days that are not in the result has been merged into them.
std::map<std::int64_t, day_summary> coarsened(const std::vector<day_summary>& days,
                                              const coarsening& how);

}  // namespace tollgate::quota::redis
