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

  // Of a route that is configured no more: what other routes of its action are counted in, if they
  // agree. Nullopt: unknown.
  std::optional<usage_unit> of(std::string_view route, std::string_view action) const;

 private:
  std::map<std::string, usage_unit, std::less<>> of_route_;
  std::map<std::string, std::optional<usage_unit>, std::less<>> of_action_;
};

// What one record says it used. Seconds tell themselves by what of them was billed; an earlier
// version's are known by the configuration.
struct measured {
  std::string used, billed;  // decimals; empty: in an unknown unit
  std::string_view unit;
};
measured measure(std::int64_t used, std::int64_t billed_us, std::optional<usage_unit> configured);

// An amount in the base of its unit (microseconds, for seconds) as an exact decimal.
std::string amount_text(std::int64_t used, usage_unit unit);

}  // namespace tollgate::proxy::admin
