// The request for a usage report: range, buckets, groups, filters and page. Pure, except for the
// system's time zone files.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/api/message.hpp"
#include "proxy/text/time_zone/time_zone.hpp"
#include "quota/account_history.hpp"

namespace tollgate::proxy::admin {

enum class granularity : std::uint8_t { hour, day, month, total };
std::string_view to_string(granularity granularity);

// A dimension by which usage is grouped and filtered: a name in the API, a member of the
// attribution.
struct dimension {
  std::string_view name;
  std::string quota::attribution::*member;
};
inline constexpr std::array<dimension, 6> dimensions{
    {{"action", &quota::attribution::action},
     {"model", &quota::attribution::model},
     {"agent", &quota::attribution::agent},
     {"conversation", &quota::attribution::conversation},
     {"key", &quota::attribution::key_id},
     {"route", &quota::attribution::route}}};

// The position of a row in a report. Rows are sorted by it.
struct usage_row_key {
  std::int64_t start_hour = 0;     // of the bucket, counted from the Unix epoch
  std::vector<std::string> names;  // in the order of group_by
  auto operator<=>(const usage_row_key&) const = default;
};

struct usage_filter {
  dimension by;
  std::vector<std::string> any_of;  // an empty name: not given
};

struct usage_query {
  std::int64_t first_hour = 0, last_hour = 0;  // both included; counted from the Unix epoch
  granularity by = granularity::day;
  std::vector<dimension> group_by;
  std::vector<usage_filter> filters;
  std::string zone_name = "UTC";
  time_zone zone;
  std::size_t limit = 1000;
  std::optional<usage_row_key> after;  // the last row of the previous page

  // `from`, `to` (excluded), `granularity`, `group_by`, `time_zone`, `limit`, `after`, and a filter
  // by the name of each dimension. Counters are hourly, so the range is widened to whole hours; a
  // day of the zone begins with the first hour that begins in it, whether it is given as a date or
  // as its first moment. Without `from`: since the first of this month; without `to`: until `now`.
  // The pages of one report cover the same range: the cursor contains it.
  static checked<usage_query> parse(std::string_view query, quota::time_point now);

  bool grouped_by(std::string_view name) const;
  // Agents and conversations are numerous; queries without them are answered from summaries.
  bool asks_about_callers() const;
  bool admits(const quota::attribution& who) const;

  // The first hours of the bucket that contains `hour`, and of the next one. A day begins with the
  // first hour that begins in it, in the zone's time.
  struct bucket {
    std::int64_t start, end;
  };
  bucket bucket_of(std::int64_t hour) const;
  // "2026-03-29T00:00:00+01:00", or with Z in UTC.
  std::string text_of(std::int64_t hour) const;

  // An opaque text that becomes `after` of the next page.
  std::string cursor(const usage_row_key& last_row) const;

 private:
  bool read_cursor(std::string_view cursor, bool with_from, bool with_to);
  // A hash of everything except range and page: a cursor belongs to the query that it came from.
  std::string fingerprint() const;
};

}  // namespace tollgate::proxy::admin
