// The store of a configuration: a Redis that is already running, or the embedded one, which is
// started here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "proxy/app/store_log.hpp"
#include "quota/redis/embedded_server.hpp"
#include "quota/redis/open_store.hpp"

namespace tollgate::proxy {

class running_store {
 public:
  // Throws std::runtime_error if the URL is invalid, the embedded server does not start, or a later
  // release has written the store. `gives_up`: asked while an embedded server starts; true ends the
  // start.
  running_store(const config::store_settings& settings, const std::function<bool()>& gives_up);

  quota::store_opener opener(quota::redis::store_options options = {}) const;
  // Call it when nothing uses the store any more.
  void stop();

 private:
  quota::redis::address start_embedded(const std::string& directory,
                                       const std::function<bool()>& gives_up);

  std::optional<quota::redis::embedded_server> embedded_;
  quota::redis::address where_;
  config::store_settings settings_;
  std::shared_ptr<store_log> log_ = std::make_shared<store_log>();
};

}  // namespace tollgate::proxy
