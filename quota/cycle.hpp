// Billing cycles: monthly, in UTC, beginning at midnight of the anchor's day of the month. In a
// shorter month the last day is used; the next month returns to the anchor's day.
#pragma once

#include "quota/clock.hpp"

namespace tollgate::quota {

// The latest boundary at or before `at`, and the first one after it. `anchor_day` is 1 to 31.
time_point cycle_start(int anchor_day, time_point at);
time_point cycle_end(int anchor_day, time_point at);

int day_of_month(time_point at);  // UTC

}  // namespace tollgate::quota
