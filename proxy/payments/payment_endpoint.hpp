// Whoever is asked for money, as the configuration names it: one order in, one answer out.
#pragma once

#include <memory>

#include "proxy/payments/payment_answer.hpp"
#include "proxy/payments/payment_request.hpp"

namespace tollgate::proxy::payments {

class payment_endpoint {
 public:
  // Throws when `settings` cannot be used: a URL that is none, a file that cannot be read.
  explicit payment_endpoint(config::payment_settings settings);

  // Why this order cannot be asked for at all, and what would change that; empty: it can.
  std::string obstacle(const payment_order& order) const;

  // One attempt, no longer than the configured timeout. `now` is the ledger's time.
  task<payment_answer> ask(payment_order order, quota::time_point now);

  const config::payment_settings& settings() const { return settings_; }

 private:
  using deadline = std::chrono::steady_clock::time_point;
  task<payment_answer> ask_webhook(payment_order order, deadline give_up);
  task<payment_answer> ask_stripe(payment_order order, quota::time_point now, deadline give_up);
  task<std::optional<payment_answer>> search_stripe(const payment_order& order, deadline give_up);

  const config::payment_settings settings_;
  const outbound::url to_;
  outbound::client client_;
};

// Nothing for payment_kind::none.
std::shared_ptr<payment_endpoint> make_payment_endpoint(const config::payment_settings& settings);

}  // namespace tollgate::proxy::payments
