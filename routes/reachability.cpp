// Finds routes that can never match. Sound: a route is reported only if an earlier one certainly
// takes every request it would, so there are no false alarms.
#include <algorithm>

#include "routes/compiled_route.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

bool covers_methods(const route::compiled& a, const route::compiled& b) {
  if (a.methods.empty()) return true;
  return !b.methods.empty() && std::all_of(b.methods.begin(), b.methods.end(),
                                           [&](const auto& m) { return a.allows_method(m); });
}

// Every condition of `a` is implied by a condition of `b` on the same value.
template <class Condition, class Same>
bool implied(const std::vector<Condition>& a, const std::vector<Condition>& b, Same same) {
  return std::all_of(a.begin(), a.end(), [&](const Condition& wide) {
    return std::any_of(b.begin(), b.end(), [&](const Condition& narrow) {
      return same(wide, narrow) && covers(wide.any_of, narrow.any_of);
    });
  });
}

bool same_pointer(const json_condition& a, const json_condition& b) {
  return a.pointer == b.pointer;
}

bool covers(const route::compiled& a, const route::compiled& b) {
  const auto same_header = [](const named_condition& x, const named_condition& y) {
    return equal_ignoring_case(x.name, y.name);
  };
  const auto same_member = [](const named_condition& x, const named_condition& y) {
    return x.name == y.name;
  };
  return covers_methods(a, b) && covers(a.hosts, b.hosts) && a.path.covers(b.path) &&
         implied(a.headers, b.headers, same_header) && implied(a.query, b.query, same_member) &&
         covers(a.content_types, b.content_types) && implied(a.json, b.json, same_pointer);
}

// Whether `a` may be skipped for a request that `b` takes because `before` priced that endpoint by
// its body (see classify.cpp). Then `b` is reachable although `a` comes before it.
bool may_be_barred(const route::compiled& a, const route::compiled& before,
                   const route::compiled& b) {
  return before.judges_body() && !before.path.covers(a.path) && before.path.overlaps(b.path);
}

}  // namespace

std::optional<std::size_t> taken_by(const std::vector<route>& routes, std::size_t index) {
  const auto& late = *routes[index].patterns;
  for (std::size_t i = 0; i < index; ++i) {
    const auto& early = *routes[i].patterns;
    if (!covers(early, late)) continue;
    const auto bars = [&](const route& r) { return may_be_barred(early, *r.patterns, late); };
    if (std::none_of(routes.begin(), routes.begin() + static_cast<std::ptrdiff_t>(i), bars))
      return i;
  }
  return std::nullopt;
}

}  // namespace tollgate::routes
