#include "proxy/app/running_store.hpp"

#include <stdexcept>

#include <spdlog/spdlog.h>

#include "quota/redis/store_url.hpp"

namespace tollgate::proxy {

running_store::running_store(const std::string& text) {
  const auto url = quota::redis::parse_store_url(text);
  if (!url) throw std::runtime_error{"store: " + url.error()};
  if (!url->is_embedded()) {
    where_ = url->where;
    return;
  }
  quota::redis::embedded_options options;
  options.on_event = [](const std::string& event) { spdlog::warn("embedded store: {}", event); };
  embedded_.emplace(url->directory, std::move(options));
  auto started = embedded_->start();
  if (!started) throw std::runtime_error{"store: " + started.error().message};
  where_ = *std::move(started);
}

quota::store_opener running_store::opener(quota::redis::store_options options) const {
  return [where = where_, options](asio::io_context& context) {
    return quota::redis::open_store(context, where, options);
  };
}

void running_store::stop() {
  if (embedded_) embedded_->stop();
}

}  // namespace tollgate::proxy
