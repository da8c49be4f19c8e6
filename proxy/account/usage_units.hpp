// The unit of each route's usage. Counters have the amount and the route; the configuration has the
// unit. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/load.hpp"

namespace tollgate::proxy::admin {

enum class usage_unit : std::uint8_t { request, query, second };
std::string_view to_string(usage_unit unit);

class usage_units {
 public:
  usage_units() = default;
  explicit usage_units(const config::settings& settings);

  // For a route that is no longer configured: the unit of the other routes of its action, if they
  // agree. Nullopt: unknown.
  std::optional<usage_unit> of(std::string_view route, std::string_view action) const;

 private:
  std::map<std::string, usage_unit, std::less<>> of_route_;
  std::map<std::string, std::optional<usage_unit>, std::less<>> of_action_;
};

// The usage in one record. Its billed part identifies seconds; for records of an earlier version
// the configuration does.
struct measured {
  std::string used, billed;  // decimals; empty if the unit is unknown
  std::string_view unit;
};
measured measure(std::int64_t used, std::int64_t billed_us, std::optional<usage_unit> configured);

// An amount in the base of its unit (microseconds, for seconds) as an exact decimal.
std::string amount_text(std::int64_t used, usage_unit unit);

}  // namespace tollgate::proxy::admin
