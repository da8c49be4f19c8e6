#include "proxy/app/data_plane.hpp"

namespace tollgate::proxy {

void data_plane::open(int count, const dependencies_maker& dependencies, worker_options options,
                      metrics::registry& metrics) {
  options.watch = std::make_shared<upstream_watch>();
  options.listen = [this, where = options.configuration->values.listen](asio::io_context& context) {
    return open_listener(context, where);
  };
  for (int i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<worker>(dependencies, options, metrics.add_thread()));
  }
}

acceptor data_plane::open_listener(asio::io_context& context,
                                   const config::listen_settings& where) {
  if (where.unix_path.empty()) {
    auto address = to_tcp(where);
    // The first worker finds a port if the configuration says 0.
    if (!workers_.empty()) address.port(workers_.front()->local_endpoint().port());
    return listen_on(context, "listen", address, sharing::yes);
  }
  if (!unix_) unix_.emplace(where.unix_path, where.mode);
  unix_path_ = where.unix_path;
  return unix_->open(context);
}

std::string data_plane::address() const {
  if (!unix_path_.empty()) return "unix:" + unix_path_;
  return to_text(workers_.front()->local_endpoint());
}

void data_plane::start() {
  for (auto& each : workers_) each->start();
}

void data_plane::drain() {
  unix_.reset();
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
