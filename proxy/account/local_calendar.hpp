// Days of a time zone, in hours of UTC, the unit of usage counters. If a zone's offset is not a
// whole number of hours, an hour belongs to the day in which it begins.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/text/time_zone/time_zone.hpp"

namespace tollgate::proxy::admin {

// The local date on which that hour, counted from the Unix epoch, begins.
std::chrono::sys_days local_day(std::int64_t hour, const time_zone& zone);
// The first hour that begins on that date, or later if the calendar skips the date.
std::int64_t first_hour_of(std::chrono::sys_days day, const time_zone& zone);
// "2026-03-29T00:00:00+01:00"; "2026-03-29T00:00:00Z" in UTC.
std::string local_time_text(std::int64_t hour, const time_zone& zone);

}  // namespace tollgate::proxy::admin
