#include "routes/other_readings.hpp"

#include <algorithm>

#include "routes/compiled_route.hpp"
#include "routes/head_match.hpp"
#include "routes/normal_path.hpp"

namespace tollgate::routes {
namespace {

problem no_websocket_here() {
  return {problem_code::upgrade_required,
          "This endpoint has a price for HTTP only, not for a WebSocket: send the request over "
          "HTTP.",
          std::nullopt,
          {}};
}

problem slash_refused(const std::string& why) {
  return invalid_request("The request is refused: " + std::string{encoded_slash_refused} + why +
                         ".");
}

// It will not take this upgrade, but the same endpoint over HTTP.
bool is_for_http(const route& other) {
  return !other.patterns->allows_method("GET") || other.patterns->judges_body();
}

}  // namespace

bool may_be_dearer(const route& b, const route& a) {
  if ((a.settings.critical && !b.settings.critical) || (a.settings.shadow && !b.settings.shadow))
    return true;
  if (b.price_at.meter != a.price_at.meter || b.price_at.price > a.price_at.price ||
      b.price_at.increment_us > a.price_at.increment_us)
    return true;
  if (!b.patterns->times.empty() && b.patterns->times != a.patterns->times) return true;
  return b.price_at.per == quota::unit::query &&
         (a.price_at.per != quota::unit::query || a.settings.count != b.settings.count);
}

classification check_upgrade(const std::vector<route>& routes, classification found,
                             const request_view& request, const clean_target& target) {
  const auto* taken = std::get_if<classified>(&found);
  const auto* refused = std::get_if<problem>(&found);
  if (taken == nullptr && (refused == nullptr || refused->code != problem_code::no_route))
    return found;
  const head_matcher head{request, target, false};
  const auto forbids = [&](const route& other) {
    if (!head.fits_endpoint(*other.patterns)) return false;
    if (taken == nullptr) return true;
    return &other != taken->matched && is_for_http(other) && may_be_dearer(other, *taken->matched);
  };
  if (std::any_of(routes.begin(), routes.end(), forbids)) return no_websocket_here();
  return found;
}

// Some servers decode `%2F` before they look for a handler, so the path has two readings. It passes
// only where the segment is a name, and where the other reading has a route that costs no more. To
// read something (GET), the other reading need not have a route.
classification route_table::check_decoded_reading(classification taken, const request_view& request,
                                                  const clean_target& target,
                                                  const std::string* body,
                                                  const body_limits& limits) const {
  if (const auto* refused = std::get_if<problem>(&taken))
    return refused->code == problem_code::no_route ? classification{slash_refused("")} : taken;
  auto* found = std::get_if<classified>(&taken);
  if (found == nullptr) return taken;
  if (!found->matched->patterns->path.captures_slashes(path_segments{target.path}))
    return slash_refused(" outside a `{name}` of route " + found->matched->settings.name);
  const clean_target decoded{target.host, with_slashes_decoded(target.path), target.query};
  auto other = classify(request, decoded, body, nullptr, limits);
  if (std::holds_alternative<needs_body>(other)) return other;
  if (const auto* refused = std::get_if<problem>(&other)) {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (refused->code != problem_code::no_route) return other;
    if (!reads) return slash_refused(", and no route for the path that has a slash there");
    return taken;
  }
  auto& second = std::get<classified>(other);
  if (may_be_dearer(*second.matched, *found->matched))
    return slash_refused(": with a slash there it could be a more expensive call, of route " +
                         second.matched->settings.name);
  if (found->content_type.empty()) found->content_type = std::move(second.content_type);
  return taken;
}

}  // namespace tollgate::routes
