// Plans: prepaid credits and their terms.
#include "config/sections.hpp"
#include "config/units.hpp"

namespace tollgate::config {
namespace {

// 100000 with 2 places: "1000".
std::string whole_part(std::int64_t most, int places) {
  for (; places > 0; --places) most /= 10;
  return std::to_string(most);
}

// Dollars as an integer with `places` decimals, at most `most` dollars.
auto usd(int places, std::int64_t most) {
  return [=](context& in, const node& from) -> std::optional<std::int64_t> {
    const std::string expected =
        "dollars (a decimal with at most " + std::to_string(places) + " places)";
    const auto text = read_scalar(in, from, expected);
    if (!text) return {};
    const auto value = parse_decimal(text->text, places);
    if (!value) {
      fail_expected(in, from, expected, text->shown);
    } else if (*value > most) {
      in.fail(from, text->shown + " is out of range (0 to " + whole_part(most, places) + ")");
      return {};
    }
    return value;
  };
}

std::optional<int> read_percentage(context& in, const node& from) {
  const auto text = read_scalar(in, from, "a percentage (100%)");
  if (!text) return {};
  const auto value = parse_percentage(text->text);
  if (!value) {
    fail_expected(in, from, "a percentage (100%)", text->shown);
  } else if (*value < 1 || *value > 1000) {
    in.fail(from, text->shown + " is out of range (1% to 1000%)");
    return {};
  }
  return value;
}

struct rollover {
  int percent = 0, cycles = 0;
};

std::optional<rollover> read_rollover(context& in, const node& from) {
  rollover out;
  map_reader map{in, from};
  map.required("up_to", out.percent, read_percentage);
  map.required("cycles", out.cycles, whole_between(1, 120));
  map.finish();
  return out;
}

// True if any term was given.
bool read_terms(map_reader& map, quota::plan_terms& out) {
  bool any = map.optional("overage_usd", out.usd_micro_per_credit,
                          usd(6, quota::max_usd_micro_per_credit));
  any |= map.optional("top_up_minimum_usd", out.top_up_minimum_cents, usd(2, quota::max_cents));
  rollover rolled;
  if (map.optional("rollover", rolled, read_rollover)) {
    any = true;
    out.rollover_percent = rolled.percent;
    out.rollover_cycles = rolled.cycles;
  }
  request_rate rate;
  if (map.optional("requests", rate, read_request_rate)) {
    any = true;
    out.requests_per_minute = rate.per_minute;
    out.burst = rate.burst;
  }
  return any;
}

plan_settings read_plan(context& in, const std::string& name, const node& from) {
  const std::size_t before = in.found.count();
  plan_settings out;
  out.name = name;
  out.terms.plan = name;
  map_reader map{in, from};
  map.optional("custom", out.custom, read_flag);
  if (!out.custom) map.required("credits", out.terms.allocation, read_credits);
  const bool any = read_terms(map, out.terms);
  if (out.custom && (any || map.find("credits") != nullptr)) {
    in.fail(from,
            "a plan with custom: true has no terms of its own; they are set per organization");
  }
  const bool sells_for_nothing =
      out.terms.top_up_minimum_cents > 0 && out.terms.usd_micro_per_credit == 0;
  if (sells_for_nothing && in.found.count() == before) {
    in.fail(from, "top_up_minimum_usd needs overage_usd, the price of a credit");
  }
  if (!out.custom && in.found.count() == before && !terms_fit(out.terms)) {
    const auto* const credits = map.find("credits");
    in.fail(credits != nullptr ? *credits : from,
            "credits with rollover may not exceed 4000000000: credits times (1 + cycles x up_to)");
  }
  map.finish();
  return out;
}

}  // namespace

std::optional<request_rate> read_request_rate(context& in, const node& from) {
  const auto requests = whole_between<std::int64_t>(1, quota::max_requests_per_minute);
  request_rate out;
  map_reader map{in, from};
  map.required("per_minute", out.per_minute, requests);
  map.required("burst", out.burst, requests);
  map.finish();
  return out;
}

std::optional<std::vector<plan_settings>> read_plans(context& in, const node& from) {
  std::vector<plan_settings> out;
  for_each_named(in, from, [&](const std::string& name, const node& value) {
    out.push_back(read_plan(in, name, value));
  });
  return out;
}

}  // namespace tollgate::config
