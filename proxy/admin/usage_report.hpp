// Usage counters of hours -> rows of a report: pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/message.hpp"
#include "quota/ledger_store.hpp"

namespace tollgate::proxy::admin {

enum class granularity : std::uint8_t { hour, day, month };
std::string_view to_string(granularity granularity);

// What usage can be grouped by: a name in the API, a member of the attribution.
struct dimension {
  std::string_view name;
  std::string quota::attribution::*member;
};

struct usage_query {
  std::int64_t first_hour = 0, last_hour = 0;  // both included; counted from the Unix epoch
  granularity by = granularity::day;
  std::vector<dimension> group_by;

  // `from`, `to` (not included), `granularity`, `group_by`. Counters are kept by the hour, so the
  // range is widened to whole hours. Without `from`: since the first of this month; without `to`:
  // until `now`.
  static checked<usage_query> parse(std::string_view query, quota::time_point now);

  bool grouped_by(std::string_view name) const;
};

class usage_report {
 public:
  struct totals {
    quota::credits charged;
    std::int64_t calls = 0;
    std::int64_t used = 0;
  };

  // The most rows of one report: agents and conversations are as many as callers please.
  static constexpr std::size_t max_rows = 50'000;

  explicit usage_report(usage_query query) : query_{std::move(query)} {}

  // False: that would be one row too many.
  bool add(const quota::usage_counter& counter);

  std::string to_json() const;
  std::string to_csv() const;

 private:
  struct row_key {
    std::int64_t start_hour;
    std::vector<std::string> names;  // in the order of group_by
    auto operator<=>(const row_key&) const = default;
  };

  // Requests, queries and seconds do not add up; within one route or action they are one thing.
  bool shows_used() const { return query_.grouped_by("route") || query_.grouped_by("action"); }

  usage_query query_;
  std::map<row_key, totals> rows_;
  totals total_;
};

}  // namespace tollgate::proxy::admin
