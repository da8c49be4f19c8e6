// The threads that serve calls.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/app/registry.hpp"
#include "proxy/gateway/worker.hpp"
#include "proxy/net/unix_listener.hpp"

namespace tollgate::proxy {

class data_plane {
 public:
  ~data_plane() { stop(); }

  // Makes `count` workers, which all listen on the address of the configuration. Throws
  // std::runtime_error.
  void open(int count, const dependencies_maker& dependencies, worker_options options,
            metrics::registry& metrics);
  void start();
  void drain();
  void cut();
  void stop();
  void join();
  void reload(const std::shared_ptr<const config::configuration>& configuration,
              const std::shared_ptr<asio::ssl::context>& tls);

  std::vector<std::unique_ptr<worker>>& workers() { return workers_; }
  std::size_t size() const { return workers_.size(); }
  std::string address() const;  // "127.0.0.1:8080", "unix:/run/tollgate/calls.sock"
  // Of the first thread whose store takes no operations.
  quota::store_trouble store_trouble() const;
  std::int64_t pending_settlements() const;

 private:
  acceptor open_listener(asio::io_context& context, const config::listen_settings& where);

  std::optional<unix_listener> unix_;  // of all workers
  std::string unix_path_;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace tollgate::proxy
