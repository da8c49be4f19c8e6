#include "proxy/admin/pages.hpp"

#include "proxy/admin/json_writer.hpp"
#include "proxy/metrics/open_metrics.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::string_view index_html = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tollgate</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
  code { background: #8882; padding: .1em .3em; border-radius: .2em }
  td { padding: .2rem 1rem .2rem 0; vertical-align: top }
</style>
<h1>Tollgate</h1>
<p>This is the admin listener. Calls under <code>/admin/v1</code> need
<code>Authorization: Bearer TOKEN</code>, with the token from <code>admin.token</code> of the
configuration.</p>
<table>
<tr><td><a href="/healthz">/healthz</a><td>the process is alive
<tr><td><a href="/readyz">/readyz</a><td>it can serve: the store answers, and it is not draining
<tr><td><a href="/metrics">/metrics</a><td>OpenMetrics
<tr><td>/admin/v1/orgs<td>organizations: PUT, GET, and a list
<tr><td>/admin/v1/orgs/{org}/keys<td>API keys: POST, GET, DELETE
<tr><td>/admin/v1/orgs/{org}/grants<td>credits given: POST, GET
<tr><td>/admin/v1/orgs/{org}/top_ups<td>credits bought: POST, GET
<tr><td>/admin/v1/orgs/{org}/balance, usage, projection, ledger, holds, statements<td>the account: GET
</table>
<p>From a shell: <code>tollgate org|key|grant|top-up|balance|usage|projection|ledger|statement|holds --help</code></p>
</html>
)";

}  // namespace

api_response health_page() {
  return {.content_type = "text/plain; charset=utf-8", .body = "ok\n", .headers = {}};
}

api_response readiness_page(const readiness& state) {
  const bool ready = state.store && !state.draining;
  json_writer out;
  out.begin_object().key("ready").boolean(ready);
  out.key("store").string(state.store ? "ready" : "unavailable");
  out.key("draining").boolean(state.draining).end_object();
  return {.status = ready ? 200 : 503, .body = out.take() + "\n", .headers = {}};
}

api_response metrics_page(const std::vector<prometheus::MetricFamily>& families,
                          std::string_view accept) {
  const auto format = metrics::choose_format(accept);
  return {.content_type = std::string{metrics::content_type(format)},
          .body = metrics::serialize(families, format),
          .headers = {{"Vary", "Accept"}}};
}

api_response index_page() {
  return {.content_type = "text/html; charset=utf-8",
          .body = std::string{index_html},
          .headers = {{"Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}}};
}

}  // namespace tollgate::proxy::admin
