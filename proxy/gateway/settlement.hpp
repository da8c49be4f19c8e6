// What happens to a charge beside the client's way: holds are renewed while their stream runs, and
// every hold is resolved in the end, also when the client or the store is gone.
#pragma once

#include <list>
#include <memory>

#include "proxy/gateway/journal/charges.hpp"
#include "proxy/net/deadline.hpp"
#include "proxy/net/wake_up.hpp"
#include "quota/charge.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy {

// A charge that is driven here, from its reservation to its end.
struct open_charge {
  enum class reservation : std::uint8_t { asked, held, refused, unavailable };

  open_charge(quota::org_id payer, quota::charge::terms terms)
      : org{std::move(payer)}, money{std::move(terms)} {}

  const quota::org_id org;
  quota::charge money;
  reservation reserved = reservation::asked;  // what became of it
  bool over = false;                          // the call is
  bool asking = false;                        // the ledger was asked about it and has not answered
  wake_up answered;                           // notified when it has, or could not be reached
  steady_time renew_at{};
  std::list<std::shared_ptr<open_charge>>::iterator place;  // among those that are renewed
  bool renewed_soon = false;  // and of these, among those whose answer has just begun
  journal::entry written{org, money};
};

class settlement {
 public:
  settlement(io_executor executor, quota::ledger& ledger) : executor_{executor}, ledger_{ledger} {}

  // Without one, what is not settled yet goes with this process. Set it before the first charge.
  void use_journal(std::unique_ptr<journal::charges> journal) { journal_ = std::move(journal); }

  // Puts the credits aside. `answered` says when `reserved` is known, if not at once. From then on
  // until end() the hold is renewed every third of its timeout. A reservation whose outcome nobody
  // knows is voided, however long the store stays away.
  void reserve(const std::shared_ptr<open_charge>& charge);
  // The upstream is about to have all of the request, or has begun to answer: the call is charged
  // even if this process ends now. May be repeated.
  void began(open_charge& charge, quota::usage so_far);
  // The upstream has begun to answer. From now on renewals tell the ledger what to settle the hold
  // at, should nobody come back to it; where there is no journal, the first of them comes soon.
  // Once for each charge.
  void answer_began(const std::shared_ptr<open_charge>& charge, quota::usage so_far);
  // So much has been used by now: the hold is made to grow ahead of it. `final`: and it is all.
  void meter(const std::shared_ptr<open_charge>& charge, quota::usage so_far, bool final);
  // The call is over, at any time after reserve(). Runs on its own: the caller does not wait, and
  // may go away.
  void end(std::shared_ptr<open_charge> charge, quota::charge::ended how);
  // Answers when the store is there, waiting for it no longer than `patience`.
  bool is_store_ready() const { return ledger_.ready(); }
  task<bool> store_ready(std::chrono::milliseconds patience);
  quota::time_point now() const { return ledger_.now(); }

  void tick(steady_time now);
  // Charges that are open or not yet resolved. Zero: nothing is left behind.
  std::size_t pending() const { return open_.size() + answering_.size() + resolving_; }
  std::size_t resolving() const { return resolving_; }

  struct counters {
    std::uint64_t settled = 0, voided = 0, retries = 0, renewals = 0;
    std::int64_t settled_micro = 0;
  };
  const counters& counted() const { return counted_; }

 private:
  using charges = std::list<std::shared_ptr<open_charge>>;

  void renew(charges& due, steady_time now);
  void drive(std::shared_ptr<open_charge> charge, const quota::charge::event& event,
             int attempt = 0);
  void conclude(std::shared_ptr<open_charge> charge, const quota::charge::action& action);
  void track(std::shared_ptr<open_charge> charge);
  void clean_up(quota::org_id org, quota::operation void_operation);
  void ask(std::shared_ptr<open_charge> charge, const quota::operation& what, int attempt);
  task<> pause(int attempt);

  io_executor executor_;
  quota::ledger& ledger_;
  charges open_, answering_;  // in the order in which they are due for renewal; the latter soon
  steady_time now_{};         // of the last tick
  std::size_t resolving_ = 0;
  std::unique_ptr<journal::charges> journal_;
  counters counted_;
};

}  // namespace tollgate::proxy
