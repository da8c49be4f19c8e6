// One delivery attempt under one configuration.
#pragma once

#include "proxy/webhooks/delivery.hpp"
#include "proxy/webhooks/schedule.hpp"

namespace tollgate::proxy::webhooks {

class sender {
 public:
  // Throws when `settings` cannot be used: a file that cannot be read. Names are looked up by
  // `names`, or by Asio.
  explicit sender(const config::webhook_settings& settings,
                  outbound::name_resolver* names = nullptr);

  // No longer than the configured timeout. `now`, by the store's clock, is what it is signed with:
  // a receiver refuses what this machine's clock, gone wrong, would have put there. Says the
  // status, or why there is none.
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
