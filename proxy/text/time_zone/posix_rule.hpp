// The rule by which a time zone continues indefinitely: "CET-1CEST,M3.5.0,M10.5.0/3". A time zone
// file ends with one, for all times after its last transition. POSIX `TZ`, with RFC 8536's
// extension (hours from -167 to 167). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace tollgate::proxy {

class posix_rule {
 public:
  static std::optional<posix_rule> parse(std::string_view text);

  std::chrono::seconds offset_at(std::chrono::sys_seconds time) const;

 private:
  // When in a year the clocks change.
  struct change {
    enum class kind { julian, day, weekday } how = kind::weekday;  // "J60", "59", "M3.5.0"
    int day = 0;                   // of the year, or of the week: 0 is Sunday
    unsigned month = 1, week = 1;  // the fifth is the last
    std::chrono::seconds at =
        std::chrono::hours{2};  // since midnight, in the time before the change

    std::chrono::sys_seconds in(std::chrono::year year) const;  // as if local time were UTC
  };
  static std::optional<change> take_change(std::string_view& text);

  std::chrono::seconds standard_{}, summer_{};  // offsets from UTC
  std::optional<change> begins_, ends_;         // of summer time; empty: there is none
};

}  // namespace tollgate::proxy
