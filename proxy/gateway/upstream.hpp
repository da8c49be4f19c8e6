// Connections to one upstream, pooled per thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "proxy/gateway/idle_limit.hpp"
#include "proxy/gateway/thread_metrics.hpp"
#include "proxy/gateway/upstream_connector.hpp"

namespace tollgate::proxy {

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
  upstream_lease take_idle(steady_time now);
  // A pooled connection that is still alive, or a new one. `fresh` requires a new one. On failure
  // the error gives the reason: timed out, refused, not resolved, certificate not trusted.
  task<result<upstream_lease>> acquire(bool fresh);
  // Ends early if `who` loses its interest. `who` outlives the call.
  task<result<upstream_lease>> acquire(bool fresh, connect_interest& who);
  void release(upstream_lease connection, steady_time now);
  // Closes connections that were idle for too long, or that the upstream closed.
  void prune(steady_time now);

  // How long connections can be idle, as learned from the upstream.
  idle_limit& idle_time() { return idle_time_; }
  bool failing = false;  // this thread has reported a failure, and no recovery since

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

  const config::upstream_settings settings_;
  const std::size_t max_idle_;
  std::string authority_;
  upstream_connector connector_;
  idle_limit idle_time_;
  std::vector<idle_connection> idle_;  // the most recently used last
  connector connect_by_;               // empty: connector_
  counters counted_;
  metrics::upstream_metrics* cells_ = nullptr;
};

}  // namespace tollgate::proxy
