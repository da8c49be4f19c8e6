// Health and metrics: pages of the admin listener that need no token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>

#include "proxy/net/api/message.hpp"

namespace tollgate::proxy::admin {

struct readiness {
  bool store = false;     // reachable, and the scripts are loaded
  bool draining = false;  // stopping: send no new calls
  // Plans whose configured terms are not in force. It serves all the same, with those in force.
  std::vector<std::string> unconfirmed_plans = {};
};

api_response health_page();
api_response readiness_page(const readiness& state);
// OpenMetrics; the older Prometheus format for a scraper that does not accept it.
api_response metrics_page(const std::vector<prometheus::MetricFamily>& families,
                          std::string_view accept);

}  // namespace tollgate::proxy::admin
