#include "proxy/app/data_plane.hpp"

namespace tollgate::proxy {

void data_plane::open(int count, const dependencies_maker& dependencies, worker_options options,
                      metrics::registry& metrics) {
  options.watch = std::make_shared<upstream_watch>();
  for (int i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<worker>(dependencies, options, metrics.add_thread()));
    options.listen.port(local_endpoint().port());  // if the configuration says 0
  }
}

void data_plane::start() {
  for (auto& each : workers_) each->start();
}

void data_plane::drain() {
  for (auto& each : workers_) each->drain();
}

void data_plane::cut() {
  for (auto& each : workers_) each->cut();
}

void data_plane::stop() {
  for (auto& each : workers_) each->stop();
}

void data_plane::join() {
  for (auto& each : workers_) each->join();
}

void data_plane::reload(const std::shared_ptr<const config::configuration>& configuration,
                        const std::shared_ptr<asio::ssl::context>& tls) {
  for (auto& each : workers_) each->reload(configuration, tls);
}

quota::store_trouble data_plane::store_trouble() const {
  for (const auto& each : workers_) {
    const auto met = static_cast<quota::store_trouble>(each->counts().store.trouble.read());
    if (met != quota::store_trouble::none) return met;
  }
  return quota::store_trouble::none;
}

std::int64_t data_plane::pending_settlements() const {
  std::int64_t sum = 0;
  for (const auto& each : workers_) sum += each->counts().pending_settlements.read();
  return sum;
}

}  // namespace tollgate::proxy
