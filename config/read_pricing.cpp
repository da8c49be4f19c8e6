// Rates: prices per unit.
#include "config/sections.hpp"
#include "config/units.hpp"
#include "routes/json_members.hpp"

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

// One or several JSON pointers to a member of an object.
std::optional<std::vector<std::string>> read_pointers(context& in, const node& from) {
  auto out = read_texts(in, from);
  if (!out) return {};
  for (const auto& text : *out) {
    const auto parsed = routes::json_pointer::parse(text);
    const auto* why = std::get_if<std::string>(&parsed);
    if (why == nullptr && !text.empty()) continue;
    in.fail(from, quoted(text) + (why != nullptr ? " " + *why : " names no member"));
    return {};
  }
  return out;
}

// A rate with a valid price and unit; otherwise empty.
std::optional<quota::rate> read_rate(context& in, const std::string& name, const node& from) {
  const std::size_t before = in.found.count();
  quota::rate out;
  out.name = name;
  map_reader map{in, from};
  map.required("credits", out.price, read_credits);
  map.required("per", out.per, units);
  const bool metered = map.optional("meter", out.meter, meters);
  const bool stepped = map.optional("increment", out.increment_us, read_increment);
  const bool multiplied = map.optional("times", out.times, read_pointers);
  map.finish();
  if (in.found.count() != before) return {};
  if (out.per == quota::unit::minute && !metered) {
    in.fail(from, "per: minute needs a meter (request_audio or response_audio)");
  }
  if (out.per != quota::unit::minute && (metered || stepped)) {
    in.fail(from, "meter and increment are for per: minute only");
  }
  if (out.per == quota::unit::minute && multiplied) {
    in.fail(from, "times is for per: request and per: query; audio is counted as it is");
  }
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

}  // namespace tollgate::config
