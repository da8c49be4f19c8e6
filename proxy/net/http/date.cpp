#include "proxy/net/http/date.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace tollgate::proxy {

// strftime() would write the names of days and months in the language of the environment.
std::string http_date(std::chrono::system_clock::time_point time) {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> out;
  const int length = std::snprintf(out.data(), out.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   days.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                                   months.at(static_cast<std::size_t>(parts.tm_mon)),
                                   parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {out.data(), static_cast<std::size_t>(length)};
}

}  // namespace tollgate::proxy
