// Delivers account events to the endpoints of their organizations.
//
//   visit(org) ► read ► lease an endpoint ► the events behind its cursor, one after the other:
//                       sender ► delivered · failed · gone · died, told to the store
//
// Any sidecar may deliver to any endpoint; its lease lets one of them at a time, so its events keep
// their order. The cursor moves only when an event has been delivered (or given up), so it may
// crash at any point: the lease runs out, and whoever comes next begins with the same event.
//
// Lives on the control thread, away from the data plane.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "proxy/metrics/webhook_metrics.hpp"
#include "proxy/webhooks/sender.hpp"

namespace tollgate::proxy::webhooks {

class messenger {
 public:
  messenger(asio::io_context& context, quota::ledger_store& ledger, quota::webhook_store& store,
            metrics::webhook_metrics& counts);

  // From now on sends by these rules.
  void use(std::shared_ptr<sender> sender) { sender_ = std::move(sender); }
  const sender& rules() const { return *sender_; }

  // Visits whoever has waited long enough, and every so often everybody: others may have left
  // something behind.
  void start(quota::milliseconds sweep_every);

  // This organization may have events to deliver. Cheap, and harmless when it has none.
  void visit(const quota::org_id& org);

  // One attempt beside the queue; whoever asks decides what it means.
  task<quota::webhook_attempt> send_now(const quota::webhook_endpoint& endpoint, message what);

  // Begins no more attempts. Those that are open may end, or be abandoned.
  void stop() { stopped_ = true; }

 private:
  using steady_time = std::chrono::steady_clock::time_point;
  using recipient = std::pair<quota::org_id, std::string>;  // an endpoint of an organization
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
  task<turn> deliver_some(const quota::webhook_lease& lease, quota::webhook_endpoint endpoint);
  // False: the endpoint is not ours any more, or has to wait.
  task<bool> hand_over(const quota::webhook_lease& lease, const quota::webhook_endpoint& endpoint,
                       const quota::account_event& event);
  task<bool> give_up(const quota::webhook_lease& lease, const message& what,
                     const std::string& event, const quota::webhook_attempt& attempt);
  task<quota::webhook_outcome> tell(const quota::webhook_lease& lease, const step& step);
  template <class Work, class Then>
  void spawn(Work work, Then then);

  static constexpr std::size_t most_at_once = 32;
  static constexpr std::size_t events_a_turn = 20;  // then others get theirs
  // How much longer than an attempt's timeout a lease lasts.
  static constexpr quota::milliseconds lease_margin{5'000};

  asio::io_context& context_;
  quota::ledger_store& ledger_;
  quota::webhook_store& store_;
  metrics::webhook_metrics& counts_;
  std::shared_ptr<sender> sender_;
  const std::string token_;  // of all leases of this process, which are told apart by endpoint

  std::map<quota::org_id, steady_time> reminders_;
  std::map<quota::org_id, bool> looked_at_;  // true: to be looked at again
  std::deque<recipient> queue_;
  std::set<recipient> waiting_;     // what is in the queue
  std::map<recipient, bool> busy_;  // true: something has changed meanwhile
  bool stopped_ = false;
};

}  // namespace tollgate::proxy::webhooks
