#include "quota/cycle.hpp"

#include <algorithm>

namespace tollgate::quota {

namespace {

using namespace std::chrono;

time_point boundary_in(year_month month, int anchor_day) {
  const auto last = static_cast<unsigned>((month / std::chrono::last).day());
  const auto day = std::min(static_cast<unsigned>(anchor_day), last);
  return time_point{sys_days{month / std::chrono::day{day}}};
}

year_month month_of(time_point at) {
  const year_month_day date{floor<days>(at)};
  return date.year() / date.month();
}

}  // namespace

time_point cycle_start(int anchor_day, time_point at) {
  const auto month = month_of(at);
  const auto boundary = boundary_in(month, anchor_day);
  return boundary <= at ? boundary : boundary_in(month - months{1}, anchor_day);
}

time_point cycle_end(int anchor_day, time_point at) {
  const auto month = month_of(at);
  const auto boundary = boundary_in(month, anchor_day);
  return boundary > at ? boundary : boundary_in(month + months{1}, anchor_day);
}

int day_of_month(time_point at) {
  const year_month_day date{floor<days>(at)};
  return static_cast<int>(static_cast<unsigned>(date.day()));
}

}  // namespace tollgate::quota
