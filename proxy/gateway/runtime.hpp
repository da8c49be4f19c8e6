// One thread's view of one configuration: the shared, immutable values, and this thread's own
// upstream pools. An exchange keeps the one it began with; a reload replaces the thread's current
// one.
#pragma once

#include <memory>
#include <vector>

#include "config/load.hpp"
#include "proxy/gateway/thread_metrics.hpp"
#include "proxy/gateway/upstream.hpp"
#include "proxy/gateway/upstream_watch.hpp"
#include "proxy/net/http/owned_names.hpp"

namespace tollgate::proxy {

struct runtime {
  std::shared_ptr<const config::configuration> config;
  std::vector<std::unique_ptr<upstream_pool>> pools;
  std::vector<owned_names> owned;  // by pool index: trailers with these names are dropped
  std::vector<std::size_t> upstream_of_route;  // by the route's index: an index of pools
  metrics::bound_metrics metrics;
  std::shared_ptr<upstream_watch> watch;    // shared by all threads
  std::shared_ptr<asio::ssl::context> tls;  // for clients; null: plain HTTP

  const config::settings& settings() const { return config->values; }
  upstream_pool& pool_of(std::size_t route) const { return *pools[upstream_of_route[route]]; }
  const owned_names& owned_of(std::size_t route) const { return owned[upstream_of_route[route]]; }
  std::size_t index_of(const routes::route& route) const {
    return static_cast<std::size_t>(&route - config->routes.routes().data());
  }
};

std::shared_ptr<runtime> make_runtime(asio::io_context& context, deadline_list& deadlines,
                                      std::shared_ptr<const config::configuration> config,
                                      std::shared_ptr<asio::ssl::context> tls,
                                      metrics::thread_metrics& counts,
                                      std::shared_ptr<upstream_watch> watch = {});

// For clients. Throws std::runtime_error if the files cannot be used.
// Throws config::setting_error.
std::shared_ptr<asio::ssl::context> make_server_tls(const config::tls_settings& settings);
// Null: clients speak plain HTTP.
std::shared_ptr<asio::ssl::context> server_tls(const config::settings& settings);

}  // namespace tollgate::proxy
