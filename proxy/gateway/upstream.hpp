// Connections to one upstream, pooled per thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "config/settings.hpp"
#include "proxy/gateway/open_connection.hpp"
#include "proxy/gateway/thread_metrics.hpp"
#include "proxy/net/http/byte_buffer.hpp"
#include "proxy/net/transport.hpp"

namespace tollgate::proxy {

struct upstream_connection {
  upstream_connection(tcp_socket socket, deadline_list& deadlines)
      : io{std::move(socket), deadlines} {}
  upstream_connection(tcp_socket closed, std::unique_ptr<byte_channel> channel,
                      deadline_list& deadlines)
      : io{std::move(closed), std::move(channel), deadlines} {}

  transport io;
  byte_buffer in;
  bool reused = false;  // it has carried an exchange before
  open_connection counted{};
};
using upstream_lease = std::unique_ptr<upstream_connection>;

// Null if the upstream has no TLS. Throws std::runtime_error if its `ca_file` cannot be used.
std::unique_ptr<asio::ssl::context> make_upstream_tls(const config::upstream_settings& upstream);

class upstream_pool {
 public:
  upstream_pool(asio::io_context& context, deadline_list& deadlines,
                const config::upstream_settings& settings, const config::settings& all);

  // From now on, makes connections with this function instead of a socket.
  using connector = std::function<task<result<upstream_lease>>()>;
  void connect_by(connector other) { connect_by_ = std::move(other); }
  // From now on, counts in these cells as well. They outlive the pool and its connections.
  void count_in(metrics::upstream_metrics& cells) { cells_ = &cells; }

  // A pooled connection that is still alive, if there is one.
  upstream_lease take_idle();
  // A pooled connection that is still alive, or a new one. `fresh` requires a new one. On failure
  // the error gives the reason: timed out, refused, not resolved, certificate not trusted.
  task<result<upstream_lease>> acquire(bool fresh);
  void release(upstream_lease connection);
  // Closes connections that were idle for too long, or that the upstream closed.
  void prune();

  const config::upstream_settings& settings() const { return settings_; }
  const std::string& authority() const { return authority_; }  // for the Host field
  std::size_t idle() const { return idle_.size(); }

  struct counters {
    std::uint64_t connects = 0, connect_failures = 0, reuses = 0;
  };
  const counters& counted() const { return counted_; }
  void count_retry() {
    if (cells_ != nullptr) cells_->retries.increment();
  }

 private:
  struct idle_connection {
    upstream_lease connection;
    steady_time since;
  };

  task<result<upstream_lease>> connect();
  task<result<std::vector<asio::ip::tcp::endpoint>>> resolve();

  asio::io_context& context_;
  deadline_list& deadlines_;
  const config::upstream_settings settings_;
  const std::chrono::milliseconds connect_timeout_, keep_alive_;
  const std::size_t max_idle_;
  std::string authority_;
  std::unique_ptr<asio::ssl::context> tls_;
  std::vector<idle_connection> idle_;  // the most recently used last
  std::vector<asio::ip::tcp::endpoint> resolved_;
  steady_time resolved_until_{};
  connector connect_by_;  // empty: connect()
  counters counted_;
  metrics::upstream_metrics* cells_ = nullptr;
};

}  // namespace tollgate::proxy
