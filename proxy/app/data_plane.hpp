// The threads that serve calls.
#pragma once

#include <memory>
#include <vector>

#include "proxy/app/registry.hpp"
#include "proxy/gateway/worker.hpp"

namespace tollgate::proxy {

class data_plane {
 public:
  ~data_plane() { stop(); }

  // Makes `count` workers, which all listen on one address. Throws std::runtime_error.
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
  asio::ip::tcp::endpoint local_endpoint() const { return workers_.front()->local_endpoint(); }
  // Of the first thread whose store takes no operations.
  quota::store_trouble store_trouble() const;
  std::int64_t pending_settlements() const;

 private:
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace tollgate::proxy
