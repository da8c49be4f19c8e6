// The admin listener: plain HTTP/1.1. It runs on its own io_context, not on the data plane's
// threads.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <prometheus/metric_family.h>

#include "proxy/admin/admin_api.hpp"
#include "proxy/admin/pages.hpp"

namespace tollgate::proxy::admin {

struct server_limits {
  std::size_t head_bytes = 16 * 1024;
  std::size_t body_bytes = 1024 * 1024;
  std::size_t connections = 256;
  std::chrono::milliseconds head_timeout{10'000};  // first byte to end of the head; also idle
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds write_timeout{30'000};
};

struct server_options {
  admin_services services;
  page_sources pages;
  server_limits limits;
};

class server {
 public:
  // Binds and listens; throws std::runtime_error on failure.
  server(asio::io_context& context, const config::endpoint& listen, server_options options);
  ~server();
  server(const server&) = delete;

  void start();
  // Stops listening and closes idle connections; open calls are still answered. Call it on the
  // context's thread. The stores must outlive the context's run().
  void stop();
  // Ends all streams and opens no more: a drain does not wait for them. Call it on the context's
  // thread.
  void end_streams();
  asio::ip::tcp::endpoint local_endpoint() const;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace tollgate::proxy::admin
