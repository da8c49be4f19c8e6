#include <algorithm>
#include <map>
#include <utility>

#include "routes/classify.hpp"
#include "routes/compiled_route.hpp"
#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

using route_errors = std::vector<route_error>;

std::string line_of(const source_position& at) {
  return at.line > 0 ? " (line " + std::to_string(at.line) + ")" : "";
}

void check_names(const std::vector<route_settings>& routes, route_errors& out) {
  std::map<std::string_view, const route_settings*> seen;
  for (const auto& route : routes) {
    const auto [first, fresh] = seen.emplace(route.name, &route);
    if (!fresh)
      out.push_back({route.at, "route " + shown(route.name) +
                                   ": the name is taken by another route" +
                                   line_of(first->second->at)});
  }
}

void check_audio(const route_settings& route, const quota::rate& rate, route_errors& out) {
  if (!route.audio) return;
  const auto wrong = [&](const std::string& what) {
    out.push_back({route.at, "route " + shown(route.name) + ": " + what});
  };
  const bool upload = rate.meter == quota::meter_kind::request_audio;
  if (rate.meter == quota::meter_kind::none)
    wrong("`audio` needs a rate with a meter, but rate " + shown(route.rate) + " has no meter");
  else if (!upload && route.audio->on_unmeasurable == when_unmeasurable::refuse)
    wrong(
        "an answer cannot be refused after the upstream gave it; on_unmeasurable must be estimate");
  if (upload && !route.audio->estimate.characters.empty())
    wrong("`characters` estimates an answer, but rate " + shown(route.rate) +
          " meters the request");
  if (upload && route.audio->on_exhausted == when_exhausted::cut)
    wrong("`on_exhausted` is for answers: an upload that exceeds the credits is always refused");
  if (route.audio->estimate.at_least_us > route.audio->estimate.at_most_us)
    wrong("`at_least` is more than `at_most`");
}

const quota::rate* find_rate(const route_settings& route, const std::vector<quota::rate>& rates,
                             route_errors& out) {
  const auto named = [&](const quota::rate& rate) { return rate.name == route.rate; };
  const auto found = std::find_if(rates.begin(), rates.end(), named);
  if (found == rates.end()) {
    std::vector<std::string> names;
    for (const auto& rate : rates) names.push_back(rate.name);
    out.push_back({route.at, "route " + shown(route.name) + ": unknown rate " + shown(route.rate) +
                                 did_you_mean(route.rate, names)});
    return nullptr;
  }
  if (!route.count.empty() && found->per != quota::unit::query)
    out.push_back({route.at, "route " + shown(route.name) + ": `count` counts queries, but rate " +
                                 shown(route.rate) + " is not per query"});
  check_audio(route, *found, out);
  return &*found;
}

void check_reachability(const std::vector<route>& routes, route_errors& out) {
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const auto by = taken_by(routes, i);
    if (!by) continue;
    const auto& late = routes[i].settings;
    const auto& early = routes[*by].settings;
    out.push_back({late.at, "route " + shown(late.name) + " can never match: " + shown(early.name) +
                                line_of(early.at) +
                                " comes first and matches everything it would"});
  }
}

}  // namespace

std::variant<route_table, std::vector<route_error>> route_table::build(
    const std::vector<route_settings>& routes, const std::vector<quota::rate>& rates) {
  route_errors wrong;
  check_names(routes, wrong);
  pointer_numbers numbers;
  route_table table;
  for (const auto& settings : routes) {
    const auto* rate = find_rate(settings, rates, wrong);
    auto price_at = rate != nullptr ? *rate : quota::rate{};
    // Compiled here, so that calls do not copy them with the rest of the rate.
    const auto times = std::exchange(price_at.times, {});
    auto compiled = compile(settings, times, numbers, wrong);
    if (compiled == nullptr) continue;
    for (const auto& earlier : table.routes_)
      compiled->within.push_back(earlier.patterns->path.covers(compiled->path));
    table.routes_.push_back({settings, std::move(price_at), std::move(compiled)});
  }
  check_reachability(table.routes_, wrong);
  if (!wrong.empty()) {
    std::stable_sort(wrong.begin(), wrong.end(), [](const route_error& a, const route_error& b) {
      return std::pair{a.at.line, a.at.column} < std::pair{b.at.line, b.at.column};
    });
    return wrong;
  }
  table.pointers_ = std::make_shared<const std::vector<json_pointer>>(numbers.all());
  return table;
}

}  // namespace tollgate::routes
