// Billing cycles: monthly, in UTC, beginning at midnight of the anchor's day of the month. In a
// month without that day it is the last one; the 31st comes back to the 31st.
#pragma once

#include "quota/clock.hpp"

namespace tollgate::quota {

// The latest boundary at or before `at`, and the first one after it. `anchor_day` is 1 to 31.
time_point cycle_start(int anchor_day, time_point at);
time_point cycle_end(int anchor_day, time_point at);

int day_of_month(time_point at);  // UTC

}  // namespace tollgate::quota
