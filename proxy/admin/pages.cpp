#include "proxy/admin/pages.hpp"

#include "proxy/metrics/open_metrics.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy::admin {

api_response health_page() {
  return {.content_type = "text/plain; charset=utf-8", .body = "ok\n", .headers = {}};
}

api_response readiness_page(const readiness& state) {
  const bool store_ready = state.store == quota::store_trouble::none;
  const bool ready = store_ready && !state.draining;
  json_writer out;
  out.begin_object().key("ready").boolean(ready);
  out.key("store").string(store_ready ? "ready" : "unavailable");
  if (!store_ready) out.key("cause").string(to_string(state.store));
  out.key("draining").boolean(state.draining);
  if (!state.unconfirmed_plans.empty()) {
    out.key("unconfirmed_plans").begin_array();
    for (const auto& plan : state.unconfirmed_plans) out.string(plan);
    out.end_array();
  }
  if (state.plan_terms_pending) out.key("plan_terms_pending").boolean(true);
  out.end_object();
  return {.status = ready ? 200 : 503, .body = out.take() + "\n", .headers = {}};
}

api_response metrics_page(const std::vector<prometheus::MetricFamily>& families,
                          std::string_view accept) {
  const auto format = metrics::choose_format(accept);
  return {.content_type = std::string{metrics::content_type(format)},
          .body = metrics::serialize(families, format),
          .headers = {{"Vary", "Accept"}}};
}

std::optional<api_response> monitoring_page(const page_sources& pages, const api_request& request) {
  if (request.path == "/healthz") return health_page();
  if (request.path == "/readyz") return readiness_page(pages.ready());
  if (request.path == "/metrics") return metrics_page(pages.metrics(), request.accept);
  return {};
}

}  // namespace tollgate::proxy::admin
