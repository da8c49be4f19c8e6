// The least that a call can cost. It follows the same conditions as classify(), as far as the head
// decides them; where the body would decide, it assumes the cheaper course.
#include <algorithm>

#include "routes/classify.hpp"
#include "routes/compiled_route.hpp"
#include "routes/estimate.hpp"
#include "routes/head_match.hpp"

namespace tollgate::routes {

namespace {

// An earlier route that matched the head: whether a route may still take the call if the body, or
// its type, does not match that one. See README, "An endpoint that is priced by its body".
struct earlier {
  std::size_t index = 0;
  const route::compiled* patterns = nullptr;
  bool content_type = false;  // its type did not match
};

bool may_follow(const route::compiled& patterns, const earlier& before) {
  if (patterns.within[before.index]) return true;
  if (before.content_type) return !patterns.content_types.empty();
  const auto speaks_of = [&](const json_condition& missed) {
    return std::any_of(patterns.json.begin(), patterns.json.end(),
                       [&](const json_condition& own) { return own.pointer == missed.pointer; });
  };
  const auto& conditions = before.patterns->json;
  return std::any_of(conditions.begin(), conditions.end(), speaks_of);
}

}  // namespace

least_call route_table::least(const request_view& request, const clean_target& target) const {
  static const audio_settings by_default;
  least_call out;
  quota::credits least;
  const head_matcher head{request, target, false};
  std::vector<earlier> before;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const auto& [settings, price_at, patterns] = routes_[i];
    const auto fit = head.match(*patterns);
    const bool misses_type = fit.is == head_match::result::misses_content_type;
    if (misses_type) before.push_back({i, patterns.get(), true});
    if (fit.is != head_match::result::fits) continue;
    const bool is_barred =
        !std::all_of(before.begin(), before.end(),
                     [&own = *patterns](const earlier& each) { return may_follow(own, each); });
    if (is_barred) continue;
    if (!patterns->json.empty()) before.push_back({i, patterns.get(), false});
    const auto estimated = estimate(price_at, settings.audio ? *settings.audio : by_default, {});
    const auto price = quota::price(price_at, estimated);
    out.may_be_critical = out.may_be_critical || settings.critical;
    out.may_be_shadow = out.may_be_shadow || settings.shadow;
    if (out.cheapest == nullptr || price < least) {
      out.cheapest = &routes_[i];
      out.estimated = estimated;
      least = price;
    }
    if (patterns->json.empty()) break;  // nothing can keep it from taking the call
  }
  return out;
}

}  // namespace tollgate::routes
