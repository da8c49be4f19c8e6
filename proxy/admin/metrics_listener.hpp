// A listener for monitoring: /metrics, /healthz and /readyz without a token, and nothing else, so
// that Prometheus and probes can reach them where the admin API is not to be reached. It runs on
// the control thread.
#pragma once

#include <memory>

#include "proxy/admin/pages.hpp"
#include "proxy/net/api/small_listener.hpp"

namespace tollgate::proxy::admin {

// Binds and listens; throws config::setting_error.
std::unique_ptr<small_listener> make_metrics_listener(asio::io_context& context,
                                                      const config::endpoint& listen,
                                                      std::size_t connections, page_sources pages);

}  // namespace tollgate::proxy::admin
