// The life of one charge as a state machine: an event goes in, the next action comes out. It makes
// every money decision of a request and performs none of them, so its tests need no socket.
//
//   reserving --held--> open --ended--> resolving --answer--> done
//       |                ^ |                 |                  ^
//    refused        extending            expired under us       |
//                                            +--> charging late +
//
// While seconds are metered, `metered` reports the count and the hold grows ahead of it: by as much
// again as was metered, but at most by one step. After a refused step it grows by the exact need;
// if that is refused too, it stops growing (`exhausted`). After the last `metered` the hold is set
// to the exact price, and the rest is released.
//
// The driver (proxy/gateway/exchange/exchange, proxy/gateway/settlement) performs each action and
// reports the result as the next event. Everything after `held` ends in `settle` or `void_hold`,
// whatever else happens.
//
// The driver guarantees: exactly one `answered` or `store_failed` follows every `apply` and
// `retry`; `ended` comes once, at any time after `begin`, even while an operation is pending.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "quota/ledger/operation.hpp"
#include "quota/rate_card.hpp"

namespace tollgate::quota {

// Every way in which a delivered call can end.
enum class stream_end : std::uint8_t {
  not_sent,  // the upstream never received it: connect failure, refused before forwarding
  refused,   // the upstream answered 4xx or 5xx
  accepted,  // the upstream answered 1xx (upgrade), 2xx, 303 or 304, and the answer was complete
  upstream_failed,  // an accepted answer broke off or timed out
  no_answer,  // the upstream received the call and never answered: timeout or reset before the head
  client_gone_early,    // the client left before the upstream had all of the request
  client_gone,          // the client left during an accepted answer
  cut,                  // the proxy ended an accepted answer because the credits were used up
  client_gone_waiting,  // the client left after the upstream had the whole request, before the head
  redirected,    // the upstream answered 3xx: it did not do the work, and named another server
  stream_error,  // an accepted answer was an event stream with only an error
  empty,         // an accepted answer that should have had content had none
};
inline constexpr std::size_t stream_end_count = 12;
std::string_view to_string(stream_end end);

enum class resolution : std::uint8_t { settle, void_hold };

// Per route; the defaults follow the rules of money ("what is charged is what was used").
struct settlement_policy {
  resolution refused = resolution::void_hold;
  resolution no_answer = resolution::void_hold;
  resolution client_gone_early = resolution::void_hold;
  resolution client_gone_waiting = resolution::settle;
  resolution client_gone = resolution::settle;
  resolution upstream_failed = resolution::settle;
  resolution redirected = resolution::void_hold;
  resolution stream_error = resolution::void_hold;
  resolution empty = resolution::void_hold;
};

resolution resolve(const settlement_policy& policy, stream_end end);

class charge {
 public:
  struct terms {
    hold_id id;
    rate price_at;
    usage estimated;  // worst case
    settlement_policy policy;
    std::int64_t hold_step =
        60'000'000;  // for metered usage: the hold is at most this far ahead of the count
    milliseconds hold_timeout{60'000};
    admission admit = admission::enforce;
    std::string request_id;
    attribution who;
  };

  // events
  struct begin {};
  struct answered {  // to the last operation requested
    answer reply;
    time_point store_time{};  // ledger::now(); only a clock that jumped by days makes a
                              // difference
  };
  struct store_failed {        // the operation was not answered
    bool not_applied = false;  // it certainly changed nothing; otherwise its outcome is unknown
  };
  struct renewal_due {};  // a third of the timeout has passed
  struct metered {        // used so far; never decreases
    usage so_far;
    bool final = false;  // the last count: nothing beyond it needs to be held
  };
  // The upstream has begun an answer that will be charged. From now on every operation also tells
  // the ledger what to settle the hold at, in case this process never settles it.
  struct begun {
    usage so_far;
  };
  struct ended {
    stream_end how;
    usage used;
  };
  using event = std::variant<begin, answered, store_failed, renewal_due, metered, begun, ended>;

  // actions
  struct apply {
    operation what;
  };                  // ask the ledger, then report `answered`
  struct forward {};  // the hold is in place
  // Nothing is held and nothing has to be cleaned up. Besides refusals, `why` may be the fate of an
  // id that was already taken: not an error of the client, which may try again.
  struct refuse {
    outcome why;
  };
  struct refuse_unavailable {
    std::optional<operation> clean_up;
  };  // 503; void in the background if a hold may exist
  struct retry {
    operation what;
  };               // repeat the operation after a pause
  struct wait {};  // nothing to do until the next event
  struct done {
    credits charged;
  };
  using action = std::variant<apply, forward, refuse, refuse_unavailable, retry, wait, done>;

  explicit charge(terms terms);
  // A charge whose hold is or was in place and whose process has ended: the next event is `ended`.
  static charge recovered(terms terms);
  action resume(const event& event);

  const terms& agreed() const { return terms_; }
  // The id under which the ledger has confirmed a hold: the original id, or one under which the
  // call continued. If a part was already charged by a hold that was settled when it expired, it is
  // that hold's id: a process that resumes later under this id is told of the charge.
  const hold_id& held_as() const { return paid_ ? hold_.paid_as : hold_.confirmed; }
  credits estimate() const { return price(terms_.price_at, terms_.estimated); }
  credits held() const { return hold_.amount; }  // the amount of the current hold
  bool covers(usage used) const { return price(terms_.price_at, used) <= hold_.amount; }
  // The hold cannot grow to the metered usage: the account has no more to give.
  bool exhausted() const { return growth_.exhausted; }
  // What the account had left at the ledger's last answer, after this call's hold.
  credits available() const { return said_.available; }
  bool beyond_balance() const { return said_.beyond_balance; }
  // The outcome that refused the reservation, or the last attempt to extend the hold.
  outcome refused_as() const { return said_.refused_as; }
  const std::optional<obstacle>& obstacle_met() const { return said_.obstacle_met; }
  // The account's request rate at the reservation; empty for an account without one.
  const std::optional<rate_status>& rate() const { return said_.rate; }

 private:
  enum class state : std::uint8_t {
    created,
    reserving,
    open,
    extending,
    releasing,       // metering has ended: releasing the rest of the hold
    replacing,       // the hold expired during the call: reserving its successor
    resolving,       // settling or voiding
    late_reserving,  // the hold expired before it was settled: reserving what was used,
    late_settling,   // and settling it
    done,
  };

  action on(const begin&);
  action on(const answered&);
  action on(const store_failed&);
  action on(const renewal_due&);
  action on(const metered&);
  action on(const begun&);
  action on(const ended&);

  action on_reserved(const answered& event);
  action on_extended(const answered& event);
  action on_replaced(const answer& reply);
  action on_released(const answer& reply);
  void note_refusal(const answer& reply);
  action on_resolved(const answered& event);
  action on_reserved_late(const answered& event);
  action keep_open();
  action grow();
  action release_rest();
  action refused_to_grow(const answer& reply);
  action replace(const hold_id& next);
  action reserve_next(const hold_id& next);
  action go_on_behind(const answered& event);
  void note_charged(const answer& reply);
  use unpaid(usage used) const;
  std::optional<use> to_settle_at() const;
  operation extension(std::optional<credits> needed = {}) const;
  credits paid() const { return paid_ ? paid_->amount : credits{}; }
  action resolve();
  action charge_late(const hold_id& next);
  action charge_rest();
  action reserve_late();
  action settle_used(state next);
  action finish(credits charged);
  action ask(state next, operation what);
  reserve reservation(credits amount, admission admit) const;

  struct hold {
    hold_id id;         // of the current hold, or the one requested
    hold_id confirmed;  // of the last hold that the ledger confirmed
    hold_id paid_as;    // of the first hold that was settled when it expired
    // Includes what was already charged for this call by a hold that expired after the answer had
    // begun: the current hold is for what exceeds it.
    credits amount;
    bool renamed = false;  // the original id was too old for the store
    bool gone =
        false;  // the last hold was settled when it expired, and nothing more had to be held
  };
  // The ledger's last answers.
  struct ledger_said {
    credits available;
    bool beyond_balance = false;
    outcome refused_as = outcome::insufficient_balance;
    std::optional<obstacle> obstacle_met;
    std::optional<rate_status> rate;
  };
  // For metered usage.
  struct growth {
    std::optional<charge::metered> metered;
    credits to;  // the amount of the pending extend or replacing reserve
    bool cautious = false, exhausted = false, released = false;
  };

  terms terms_;
  state state_ = state::created;
  hold hold_;
  ledger_said said_;
  growth growth_;
  std::optional<usage> begun_;
  std::optional<use> paid_;  // by holds that were settled when they expired
  std::optional<ended> ended_;
  std::optional<operation> asked_;  // kept for repetition, while resolving
};

}  // namespace tollgate::quota
