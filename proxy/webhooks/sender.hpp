// One delivery attempt under one configuration.
#pragma once

#include "proxy/webhooks/delivery.hpp"
#include "proxy/webhooks/schedule.hpp"

namespace tollgate::proxy::webhooks {

class sender {
 public:
  // Throws if `settings` cannot be used, such as a file that cannot be read. `names` resolves
  // names; if null, Asio does.
  explicit sender(const config::webhook_settings& settings,
                  outbound::name_resolver* names = nullptr);

  // Takes no longer than the configured timeout. `now`, by the store's clock, is the signature's
  // time: receivers would refuse the time of a wrong local clock. Returns the status, or why there
  // is none.
  task<quota::webhook_attempt> send(const quota::webhook_endpoint& endpoint, message what,
                                    quota::time_point now);

  const config::webhook_settings& settings() const { return settings_; }
  const schedule& attempts() const { return attempts_; }

 private:
  const config::webhook_settings settings_;
  const schedule attempts_;
  outbound::client client_;
};

}  // namespace tollgate::proxy::webhooks
