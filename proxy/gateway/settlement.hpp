// The work on charges that clients do not wait for: holds are renewed while their stream runs, and
// every hold is resolved in the end, even if the client or the store is gone.
#pragma once

#include <list>
#include <memory>

#include "proxy/gateway/journal/charges.hpp"
#include "proxy/gateway/pending_voids.hpp"
#include "proxy/gateway/resolution_room.hpp"
#include "proxy/metrics/cells.hpp"
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
  reservation reserved = reservation::asked;  // the result of the reservation
  bool over = false;                          // the call has ended
  bool asking = false;                        // a request to the ledger has not been answered yet
  wake_up answered;                           // notified when it is answered, or has failed
  steady_time renew_at{};
  std::list<std::shared_ptr<open_charge>>::iterator place;  // in the list of charges to renew
  bool renewed_soon = false;             // in the list of those whose answer has just begun
  metrics::counter* renewals = nullptr;  // where to count them, if anywhere
  journal::entry written{org, money};
};

class settlement {
 public:
  settlement(io_executor executor, quota::ledger& ledger)
      : executor_{executor}, ledger_{ledger}, voids_{ledger} {}

  // Without a journal, unsettled charges are lost with this process. Set it before the first
  // charge.
  void use_journal(std::unique_ptr<journal::charges> journal) { journal_ = std::move(journal); }

  // Reserves the credits. `answered` is notified when `reserved` is known, if not at once. From
  // then on until end() the hold is renewed every third of its timeout. A reservation with an
  // unknown outcome is voided in the background (pending_voids); one that the store has not begun
  // needs no void.
  void reserve(const std::shared_ptr<open_charge>& charge);
  // The upstream is about to receive the end of the request, or has begun to answer: the call is
  // charged even if this process ends now. May be repeated.
  void began(open_charge& charge, quota::usage so_far);
  // The upstream has begun to answer. From now on renewals tell the ledger at what amount to settle
  // the hold if no sidecar resolves it; without a journal, the first renewal comes soon. Once per
  // charge.
  void answer_began(const std::shared_ptr<open_charge>& charge, quota::usage so_far);
  // The usage so far: the hold is extended ahead of it. `final`: there will be no more.
  void meter(const std::shared_ptr<open_charge>& charge, quota::usage so_far, bool final);
  // The call has ended, at any time after reserve(). Runs on its own: the caller does not wait, and
  // may be destroyed.
  void end(std::shared_ptr<open_charge> charge, quota::charge::ended how);
  // Whether the store is ready, waiting for it at most `patience`.
  bool is_store_ready() const { return ledger_.ready(); }
  task<bool> store_ready(std::chrono::milliseconds patience);
  quota::time_point now() const { return ledger_.now(); }
  task<result<quota::credits>> spendable(const quota::org_id& org) {
    return ledger_.spendable(org);
  }

  void tick(steady_time now);
  // Charges that are open or not yet resolved. Zero: everything has been settled or voided.
  std::size_t pending() const { return held() + resolving(); }
  std::size_t resolving() const { return resolving_ + voids_.size(); }
  std::uint64_t voids_given_up() const { return voids_.given_up(); }
  // Charges whose hold is in place and whose call has not ended.
  std::size_t held() const { return open_.size() + answering_.size(); }
  // Each resolution waits in memory for as long as the store does not confirm it. Without room for
  // more, no new charge may begin.
  bool has_room() { return room_.admits(resolving()); }

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
  void ask(std::shared_ptr<open_charge> charge, const quota::operation& what, int attempt);
  task<> pause(int attempt);

  io_executor executor_;
  quota::ledger& ledger_;
  pending_voids voids_;
  charges open_, answering_;  // in order of renewal time; those in the latter are due soon
  steady_time now_{};         // time of the last tick
  std::size_t resolving_ = 0;
  resolution_room room_;
  std::unique_ptr<journal::charges> journal_;
  counters counted_;
};

}  // namespace tollgate::proxy
