// Rates and plans: what things cost, and what is paid in advance.
#include "config/sections.hpp"
#include "config/units.hpp"

namespace tollgate::config {
namespace {

using namespace std::chrono_literals;

const choice<quota::unit> units{{{"request", quota::unit::request},
                                 {"query", quota::unit::query},
                                 {"minute", quota::unit::minute}}};
const choice<quota::meter_kind> meters{{{"request_audio", quota::meter_kind::request_audio},
                                        {"response_audio", quota::meter_kind::response_audio}}};

std::optional<std::int64_t> read_increment(context& in, const node& from) {
  const auto step = read_duration(in, from, 1ms, 1h, 1us);
  if (!step) return {};
  return step->count();
}

// A rate whose price and unit could be read; nothing otherwise.
std::optional<quota::rate> read_rate(context& in, const std::string& name, const node& from) {
  const std::size_t before = in.found.count();
  quota::rate out;
  out.name = name;
  map_reader map{in, from};
  map.required("credits", out.price, read_credits);
  map.required("per", out.per, units);
  const bool metered = map.optional("meter", out.meter, meters);
  const bool stepped = map.optional("increment", out.increment_us, read_increment);
  map.finish();
  if (in.found.count() != before) return {};
  if (out.per == quota::unit::minute && !metered) {
    in.fail(from, "per: minute needs a meter (request_audio or response_audio)");
  }
  if (out.per != quota::unit::minute && (metered || stepped)) {
    in.fail(from, "meter and increment are for per: minute only");
  }
  return out;
}

// Dollars, scaled to an integer with `places` decimals. No price of this trade reaches a million.
auto usd(int places) {
  return [=](context& in, const node& from) -> std::optional<std::int64_t> {
    const std::string expected =
        "dollars (a decimal with at most " + std::to_string(places) + " places)";
    const auto text = read_scalar(in, from, expected);
    if (!text) return {};
    const auto value = parse_decimal(text->text, places);
    if (!value) {
      fail_expected(in, from, expected, text->shown);
    } else if (*value > 1'000'000'000'000) {
      in.fail(from, text->shown + " is out of range");
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

plan_settings read_plan(context& in, const std::string& name, const node& from) {
  plan_settings out;
  out.name = name;
  map_reader map{in, from};
  map.optional("custom", out.custom, read_flag);
  if (!out.custom) map.required("credits", out.credits, read_credits);
  bool priced = map.optional("overage_usd", out.overage_usd_micro, usd(6));
  priced |= map.optional("top_up_minimum_usd", out.top_up_minimum_usd_cents, usd(2));
  rollover rolled;
  if (map.optional("rollover", rolled, read_rollover)) {
    out.rollover_percent = rolled.percent;
    out.rollover_cycles = rolled.cycles;
  }
  if (out.custom && (priced || rolled.cycles != 0 || map.find("credits") != nullptr)) {
    in.fail(from, "custom: true leaves every term to the organization; it cannot set any");
  }
  map.finish();
  return out;
}

}  // namespace

std::optional<std::vector<quota::rate>> read_rates(context& in, const node& from) {
  std::vector<quota::rate> out;
  for_each_named(in, from, [&](const std::string& name, const node& value) {
    if (auto rate = read_rate(in, name, value)) out.push_back(*std::move(rate));
  });
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
