// Receives Stripe's events and reports their meaning for a top-up to the ledger.
//
// Whatever an event says, the ledger grants once and takes back once. So events may come late,
// twice and in any order. It lives on the control thread, beside the top_up_dispatcher.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "proxy/net/api/event_delivery.hpp"
#include "proxy/payments/payment_endpoint.hpp"
#include "proxy/payments/payment_metrics.hpp"
#include "proxy/payments/stripe_event.hpp"
#include "quota/account_history.hpp"
#include "quota/directory.hpp"
#include "quota/ledger.hpp"
#include "quota/payment_store.hpp"

namespace tollgate::proxy::payments {

class event_receiver {
 public:
  event_receiver(quota::ledger& ledger, quota::account_history& history,
                 quota::payment_store& payments, quota::directory& directory,
                 const quota::clock& clock, metrics::payment_metrics& counts)
      : ledger_{ledger},
        history_{history},
        payments_{payments},
        directory_{directory},
        clock_{clock},
        counts_{counts} {}

  // Uses this endpoint's settings from now on. Null: no events are accepted.
  void use(std::shared_ptr<payment_endpoint> endpoint) { endpoint_ = std::move(endpoint); }

  // 200: done, or nothing to do. 400: not signed, or not an event. 503: send it again.
  task<admin::api_response> take(event_delivery delivery);

 private:
  using ends = metrics::payment_event_end;
  static constexpr std::size_t most_remembered = 10'000;

  // `by`: the endpoint when the event arrived. A reload may replace or remove it meanwhile.
  task<ends> apply(stripe_event event, payment_endpoint& by);
  task<ends> apply_to(const stripe_event& event, const payment_order& order, payment_endpoint& by);
  task<ends> pay(const stripe_event& event, const payment_order& order, payment_endpoint& by);
  task<ends> take_back(const stripe_event& event, const payment_order& order, payment_endpoint& by);
  task<ends> tell(const stripe_event& event, const payment_order& order);
  // Asks Stripe; the result is alarming if the top-up was paid twice.
  task<ends> look_for_second_payment(payment_order order, std::string counts, payment_endpoint& by);
  void report_paid_twice(const payment_order& order, const payment_answer& answer);
  // Whether the credits are for the event's payment. An error: unknown at the moment.
  task<result<bool>> is_granted_for(const stripe_event& event, const payment_order& order,
                                    payment_endpoint& by);
  // Also fills in the event's payment, if only Stripe knows it.
  task<result<std::optional<payment_order>>> find_order(stripe_event& event, payment_endpoint& by);
  void report_stray(const stripe_event& event);
  ends mismatch(const payment_order& order, payment_mismatch what, const stripe_event& event);
  void remember(const std::string& event);

  quota::ledger& ledger_;
  quota::account_history& history_;
  quota::payment_store& payments_;
  quota::directory& directory_;
  const quota::clock& clock_;
  metrics::payment_metrics& counts_;
  std::shared_ptr<payment_endpoint> endpoint_;
  std::set<std::string> known_;      // events that are done; a repetition is answered at once
  std::deque<std::string> in_turn_;  // the same, oldest first
};

}  // namespace tollgate::proxy::payments
