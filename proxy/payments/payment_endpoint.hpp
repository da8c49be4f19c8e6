// The configured payment endpoint: one order in, one answer out.
#pragma once

#include <memory>

#include "proxy/payments/stripe_answer.hpp"

namespace tollgate::proxy::payments {

class payment_endpoint {
 public:
  // Throws if `settings` cannot be used: an invalid URL, a file that cannot be read.
  explicit payment_endpoint(config::payment_settings settings);

  // Why this order cannot be requested, and what to do about it; empty: it can.
  std::string obstacle(const payment_order& order) const;

  // One attempt, no longer than the configured timeout.
  task<payment_answer> ask(payment_order order);

  // The outcome of an earlier request. Nullopt: no money was taken and no payment is in
  // progress, or the endpoint cannot be asked. The same holds for `failed` with a `spent` key.
  task<std::optional<payment_answer>> look_up(payment_order order);

  // The top-up of a Stripe payment, by the ids of the payment and of its charge; either may be
  // empty. An error: unknown at the moment, or the key may not ask.
  task<result<std::optional<payment_owner>>> find_owner(std::string payment, std::string charge);

  const config::payment_settings& settings() const { return settings_; }

 private:
  using deadline = std::chrono::steady_clock::time_point;
  task<payment_answer> ask_webhook(payment_order order, deadline give_up);
  task<payment_answer> ask_stripe(payment_order order, deadline give_up);
  task<payment_answer> ask_under_key(const payment_order& order, deadline give_up);
  task<payment_answer> judge(const payment_order& order, stripe_answer got, deadline give_up);
  task<payment_answer> cancel(const std::vector<std::string>& payments, deadline give_up);
  using maybe_answer = std::optional<payment_answer>;
  // These three return nothing if `found` is complete; otherwise the reason why it is not.
  task<maybe_answer> find_payments(const payment_order& order, found_payments& found,
                                   deadline give_up);
  task<maybe_answer> list(const payment_order& order, found_payments& found, payments_page page,
                          deadline give_up);
  task<maybe_answer> search(const payment_order& order, found_payments& found, deadline give_up);
  // Empty: there is no such object. An owner without a name: the object is not ours.
  task<result<std::optional<payment_owner>>> owner_at(std::string path, deadline give_up);

  const config::payment_settings settings_;
  const outbound::url to_;
  outbound::client client_;
};

// Null for payment_kind::none.
std::shared_ptr<payment_endpoint> make_payment_endpoint(const config::payment_settings& settings);

}  // namespace tollgate::proxy::payments
