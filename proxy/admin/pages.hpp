// Health and metrics: pages of the admin listener that need no token.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

#include "proxy/net/api/message.hpp"
#include "quota/store_state.hpp"

namespace tollgate::proxy::admin {

struct readiness {
  // Why the store takes no operations, as of the last check of each connection.
  quota::store_trouble store = quota::store_trouble::none;
  bool draining = false;  // stopping: send no new calls
  // Plans whose configured terms are not in force. It serves all the same, with those in force.
  std::vector<std::string> unconfirmed_plans = {};
  // Whether there may be organizations that do not know of the terms in force yet.
  bool plan_terms_pending = false;
};

api_response health_page();
api_response readiness_page(const readiness& state);
// OpenMetrics; the older Prometheus format for a scraper that does not accept it.
api_response metrics_page(const std::vector<prometheus::MetricFamily>& families,
                          std::string_view accept);

// Called on the admin thread.
struct page_sources {
  std::function<readiness()> ready;
  std::function<std::vector<prometheus::MetricFamily>()> metrics;
};
// /healthz, /readyz or /metrics; nothing for other paths.
std::optional<api_response> monitoring_page(const page_sources& pages, const api_request& request);

}  // namespace tollgate::proxy::admin
