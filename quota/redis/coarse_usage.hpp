// Summaries of days, summed up once more. Pure.
#pragma once

#include <map>

#include "quota/redis/day_summary.hpp"
#include "quota/retention.hpp"

namespace tollgate::quota::redis {

// Where usage of `hour` stands afterwards: never later, and never before the cycle that it is of.
std::int64_t coarse_hour(std::int64_t hour, const coarsening& how);

// What is left of the days; those that are not in it are nothing of their own any more.
std::map<std::int64_t, day_summary> coarsened(const std::vector<day_summary>& days,
                                              const coarsening& how);

}  // namespace tollgate::quota::redis
