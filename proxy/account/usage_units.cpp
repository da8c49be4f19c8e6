#include "proxy/account/usage_units.hpp"

#include <algorithm>

#include "quota/credits.hpp"

namespace tollgate::proxy::admin {

namespace {

usage_unit unit_of(quota::unit per) {
  switch (per) {
    case quota::unit::request:
      return usage_unit::request;
    case quota::unit::query:
      return usage_unit::query;
    case quota::unit::minute:
      break;
  }
  return usage_unit::second;
}

}  // namespace

std::string_view to_string(usage_unit unit) {
  switch (unit) {
    case usage_unit::request:
      return "request";
    case usage_unit::query:
      return "query";
    case usage_unit::second:
      break;
  }
  return "second";
}

usage_units::usage_units(const config::settings& settings) {
  for (const auto& route : settings.routes) {
    const auto rate = std::ranges::find(settings.rates, route.rate, &quota::rate::name);
    if (rate == settings.rates.end()) continue;
    const auto unit = unit_of(rate->per);
    of_route_[route.name] = unit;
    const auto [known, is_first] = of_action_.try_emplace(route.action, unit);
    if (!is_first && known->second != unit) known->second.reset();
  }
}

std::optional<usage_unit> usage_units::of(std::string_view route, std::string_view action) const {
  if (const auto found = of_route_.find(route); found != of_route_.end()) return found->second;
  const auto found = of_action_.find(action);
  return found == of_action_.end() ? std::nullopt : found->second;
}

measured measure(std::int64_t used, std::int64_t billed_us, std::optional<usage_unit> configured) {
  const auto unit = billed_us > 0 ? usage_unit::second : configured;
  if (!unit) return {};
  const auto in_seconds = *unit == usage_unit::second;
  return {amount_text(used, *unit),
          in_seconds && billed_us == 0 ? "" : amount_text(in_seconds ? billed_us : used, *unit),
          to_string(*unit)};
}

// A second has a million microseconds, as a credit has a million micro-credits.
std::string amount_text(std::int64_t used, usage_unit unit) {
  return unit == usage_unit::second ? quota::to_string(quota::credits::from_micro(used))
                                    : std::to_string(used);
}

}  // namespace tollgate::proxy::admin
