// Delivers top-ups to the payment endpoint and reports the outcome to the ledger.
//
//   visit(org) ► top_ups ─ requested ► lease_top_up ──recorded──► payment_endpoint ► resolve_top_up
//                        └ pending ───────── now and then ──────► payment_endpoint ► resolve_top_up
//
// Any sidecar may deliver any top-up; the ledger's lease admits one of them at a time. Only
// resolve_top_up grants credits, and every attempt carries the ledger's idempotency key. So a
// sidecar may crash at any point: the lease ends, and the next sidecar repeats the request.
//
// Lives on the control thread, away from the data plane.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "proxy/payments/payment_endpoint.hpp"
#include "proxy/payments/payment_metrics.hpp"
#include "proxy/payments/poll_schedule.hpp"
#include "quota/account_history.hpp"
#include "quota/directory.hpp"
#include "quota/ledger.hpp"
#include "quota/payment_store.hpp"

namespace tollgate::proxy::payments {

class top_up_dispatcher {
 public:
  top_up_dispatcher(asio::io_context& context, quota::ledger& ledger,
                    quota::account_history& history, quota::payment_store& payments,
                    quota::directory& directory, metrics::payment_metrics& counts)
      : context_{context},
        ledger_{ledger},
        history_{history},
        payments_{payments},
        directory_{directory},
        counts_{counts} {}

  // Uses this endpoint from now on. Null: top-ups stay requested until they are resolved by hand.
  void use(std::shared_ptr<payment_endpoint> endpoint) { endpoint_ = std::move(endpoint); }

  // This organization may have top-ups to deliver. Cheap, and harmless if it has none.
  void visit(const quota::org_id& org);

  // Begins no more deliveries. Open ones may end, or be abandoned.
  void stop() { stopped_ = true; }

 private:
  static constexpr std::size_t most_at_once = 8;
  // How much longer than the endpoint's timeout a lease lasts.
  static constexpr quota::milliseconds lease_margin{5'000};

  void begin();
  void end(const quota::org_id& org);
  task<> deliver_all(quota::org_id org);
  task<> deliver(payment_order order);
  task<bool> lease(payment_order& order, quota::milliseconds duration);
  task<> poll(payment_order order);
  task<> resolve(const payment_order& order, payment_answer answer);
  task<result<quota::answer>> book(const payment_order& order, payment_answer& answer);
  void write_down(const payment_order& order, const payment_answer& answer,
                  quota::outcome recorded);

  asio::io_context& context_;
  quota::ledger& ledger_;
  quota::account_history& history_;
  quota::payment_store& payments_;
  quota::directory& directory_;
  metrics::payment_metrics& counts_;
  std::shared_ptr<payment_endpoint> endpoint_;
  std::deque<quota::org_id> queue_;
  std::set<quota::org_id> waiting_;     // those in the queue
  std::map<quota::org_id, bool> busy_;  // being visited; true: visit again
  poll_schedule polls_;
  bool stopped_ = false;
};

}  // namespace tollgate::proxy::payments
