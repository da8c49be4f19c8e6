// Delivers account events to the endpoints of their organizations.
//
//   visit(org) ► read ► lease an endpoint ► the events after its cursor, one after the other:
//                       sender ► delivered · failed · gone · died, recorded in the store
//
// Any sidecar may deliver to any endpoint; the endpoint's lease admits one of them at a time, so
// its events keep their order. The cursor moves only when an event has been delivered (or dropped),
// so a sidecar may crash at any point: the lease ends, and the next sidecar begins with the same
// event.
//
// Lives on the control thread, away from the data plane.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "proxy/webhooks/delivery_queue.hpp"
#include "proxy/webhooks/sender.hpp"
#include "proxy/webhooks/webhook_metrics.hpp"
#include "quota/account_history.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy::webhooks {

class webhook_dispatcher {
 public:
  using places = delivery_queue::places;

  webhook_dispatcher(asio::io_context& context, quota::ledger& ledger,
                     quota::account_history& history, quota::webhook_store& store,
                     metrics::webhook_metrics& counts);
  webhook_dispatcher(
      asio::io_context& context, quota::ledger& ledger, quota::account_history& history,
      quota::webhook_store& store, metrics::webhook_metrics& counts, delivery_queue::places places,
      std::unique_ptr<quota::id_source> chance = std::make_unique<quota::random_id_source>());

  // From now on uses these rules.
  void use(std::shared_ptr<sender> sender) { sender_ = std::move(sender); }
  const sender& rules() const { return *sender_; }

  // Visits organizations whose pause is over, and occasionally all: other sidecars may have left
  // deliveries. One without deliveries is skipped in the next 120 rounds; visit() reports
  // its events.
  void start(quota::milliseconds sweep_every);

  // This organization may have events to deliver. Cheap, and harmless if it has none.
  void visit(const quota::org_id& org);

  // One attempt outside the queue; the caller interprets the result.
  task<quota::webhook_attempt> send_now(const quota::webhook_endpoint& endpoint, message what);

  // Begins no more attempts. Open ones may end, or be abandoned.
  void stop() { stopped_ = true; }
  // After stop(): waits until open attempts have ended and their leases are given back, so that
  // other sidecars continue at once; no longer than an attempt may take.
  task<> end_deliveries();

 private:
  using steady_time = std::chrono::steady_clock::time_point;
  using step = std::function<task<result<quota::webhook_outcome>>()>;
  enum class turn { over, more };

  task<> keep_time(quota::milliseconds sweep_every);
  task<> sweep();
  void remind(const quota::org_id& org, quota::milliseconds in);
  void visit_the_due();

  task<> look(quota::org_id org);
  task<> look_once(const quota::org_id& org);
  void enqueue(recipient to);
  void begin();
  void end(const recipient& to, turn how);

  task<turn> deliver(recipient to);
  // False: nothing is left to give back, because the lease was given back or is lost.
  task<bool> deliver_some(const quota::webhook_lease& lease, quota::webhook_endpoint endpoint);
  // False: the endpoint is not ours any more, or has to wait.
  task<bool> hand_over(const quota::webhook_lease& lease, const quota::webhook_endpoint& endpoint,
                       const quota::account_event& event);
  task<bool> give_up(const quota::webhook_lease& lease, const message& what,
                     const std::string& event, const quota::webhook_attempt& attempt);
  task<quota::webhook_outcome> tell(const quota::webhook_lease& lease, const step& step);
  template <class Work, class Then>
  void spawn(Work work, Then then);

  // Its events are reported by visit(): by the ledger, or by a sweep that looks at an account that
  // had operations elsewhere.
  static constexpr int rounds_to_rest = 120;
  // Then other endpoints get their turn; likewise after the time of one attempt.
  static constexpr std::size_t events_a_turn = 20;
  // How much longer than an attempt's timeout a lease lasts.
  static constexpr quota::milliseconds lease_margin{5'000};

  asio::io_context& context_;
  quota::ledger& ledger_;
  quota::account_history& history_;
  quota::webhook_store& store_;
  metrics::webhook_metrics& counts_;
  std::shared_ptr<sender> sender_;
  delivery_queue queue_;
  const std::unique_ptr<quota::id_source> chance_;  // spreads the attempts
  const std::string token_;  // of all leases of this process, which differ by endpoint

  quota::milliseconds rest_{};  // of an organization that has nothing to deliver
  std::map<quota::org_id, steady_time> resting_;
  std::map<quota::org_id, steady_time> reminders_;
  std::map<quota::org_id, bool> looked_at_;  // true: look again
  bool stopped_ = false;
};

}  // namespace tollgate::proxy::webhooks
