// A day's usage by hour, without agents and conversations: any number of counters, for readers that
// do not need those two. It is stored beside the counters once the day is over, and can always be
// computed from them again. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quota/account_history.hpp"

namespace tollgate::quota::redis {

inline constexpr std::int64_t hours_a_day = 24;

// The day of an hour; both count from the Unix epoch.
constexpr std::int64_t day_of(std::int64_t hour) {
  return hour >= 0 ? hour / hours_a_day : -((hours_a_day - 1 - hour) / hours_a_day);
}

class day_summary {
 public:
  struct amounts {
    std::int64_t micro = 0, calls = 0, used = 0, billed_us = 0;
  };

  explicit day_summary(std::int64_t day) : first_hour_{day * hours_a_day} {}

  // One counter as it is stored: "ROUTE\tACTION\tMODEL\tAGENT\tCONVERSATION\tKEY", "CREDITS CALLS
  // USED", followed for audio by BILLED_US. False: it is not a counter.
  bool add(std::int64_t hour, std::string_view who, std::string_view packed);
  // The same, already parsed: `who` without agent and conversation. The hour is one of the day's.
  void count(const std::string& who, std::int64_t hour, const amounts& more);
  bool empty() const { return sums_.empty(); }
  std::size_t size() const { return sums_.size(); }
  // Of memory, for each of `size` beyond its text; and at most for each byte of a packed summary.
  static constexpr std::size_t bytes_each = 1024, bytes_a_packed_byte = 32;
  std::int64_t day() const { return day_of(first_hour_); }

  // Calls visit(who, hour, amounts) for each.
  template <class Visit>
  void each(Visit visit) const {
    for (const auto& [who, hours] : sums_) {
      for (std::size_t i = 0; i < hours.size(); ++i) {
        if (hours[i].calls != 0) visit(who, first_hour_ + static_cast<std::int64_t>(i), hours[i]);
      }
    }
  }

  // Calls take(counter) for the counters of the hours [first, last].
  void each_counter(std::int64_t first, std::int64_t last,
                    const account_history::counter_taker& take) const;

  // "1\n", then for each attribution a line "=ROUTE\tACTION\tMODEL\t\t\tKEY" and a line
  // "HOUR_OF_DAY CREDITS CALLS USED [BILLED_US]" for each hour in which it was used.
  std::string pack() const;
  static std::optional<day_summary> parse(std::int64_t day, std::string_view packed);

 private:
  static std::optional<amounts> parse_amounts(std::string_view packed);

  std::int64_t first_hour_;
  std::map<std::string, std::array<amounts, hours_a_day>, std::less<>> sums_;
};

}  // namespace tollgate::quota::redis
