#include "proxy/gateway/thread_metrics.hpp"

namespace tollgate::proxy::metrics {

bound_metrics thread_metrics::bind(const config::configuration& configuration) {
  const std::lock_guard lock{names_};
  bound_metrics bound;
  for (const auto& route : configuration.routes.routes()) {
    auto* const cells = cells_of(routes_, route.settings.name);
    // A request of an older configuration may count for its old action here: only this thread reads
    // the pointer, and the action of a route's name rarely changes.
    cells->credits = cells_of(actions_, route.settings.action);
    bound.routes.push_back(cells);
  }
  bound.no_route = cells_of(routes_, "");
  bound.no_route->credits = cells_of(actions_, "");
  for (const auto& upstream : configuration.values.upstreams) {
    bound.upstreams.push_back(cells_of(upstreams_, upstream.name));
  }
  return bound;
}

}  // namespace tollgate::proxy::metrics
