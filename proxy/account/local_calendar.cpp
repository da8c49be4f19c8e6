#include "proxy/account/local_calendar.hpp"

#include <cstdio>
#include <cstdlib>

#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace chrono = std::chrono;

std::chrono::sys_seconds time_of(std::int64_t hour) {
  return chrono::sys_seconds{chrono::hours{hour}};
}

}  // namespace

std::chrono::sys_days local_day(std::int64_t hour, const time_zone& zone) {
  const auto time = time_of(hour);
  return chrono::floor<chrono::days>(time + zone.offset_at(time));
}

// Zones are at most 15 hours ahead of UTC or behind it, and dates never go back.
std::int64_t first_hour_of(std::chrono::sys_days day, const time_zone& zone) {
  const std::int64_t midnight = day.time_since_epoch() / chrono::hours{1};
  if (zone.is_utc()) return midnight;
  auto low = midnight - 16, high = midnight + 40;  // `low` is before the day, `high` is not
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (local_day(middle, zone) < day ? low : high) = middle;
  }
  return high;
}

std::string local_time_text(std::int64_t hour, const time_zone& zone) {
  const auto time = time_of(hour);
  const auto offset = zone.offset_at(time);
  auto text = to_rfc3339_seconds(time + offset);
  if (zone.is_utc()) return text;
  const auto minutes = std::abs(chrono::duration_cast<chrono::minutes>(offset).count());
  char written[16];
  std::snprintf(written, sizeof written, "%c%02d:%02d", offset.count() < 0 ? '-' : '+',
                static_cast<int>(minutes / 60), static_cast<int>(minutes % 60));
  return text.replace(text.size() - 1, 1, written);
}

}  // namespace tollgate::proxy::admin
