#include "proxy/admin/metrics_listener.hpp"

namespace tollgate::proxy::admin {

namespace {

api_response answer_of(const page_sources& pages, const api_request& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return failure(method_not_allowed("GET, HEAD"), request.request_id);
  }
  if (auto page = monitoring_page(pages, request)) return *std::move(page);
  return failure(not_found("this listener has /metrics, /healthz and /readyz"), request.request_id);
}

}  // namespace

std::unique_ptr<small_listener> make_metrics_listener(asio::io_context& context,
                                                      const config::endpoint& listen,
                                                      std::size_t connections, page_sources pages) {
  const auto answer = [pages = std::move(pages)](const http_request&,
                                                 api_request request) -> task<api_response> {
    co_return answer_of(pages, request);
  };
  return std::make_unique<small_listener>(
      context, listen,
      small_listener_options{
          .key = "metrics.listen", .body_bytes = 0, .connections = connections, .answer = answer});
}

}  // namespace tollgate::proxy::admin
