// The life of one charge as a state machine: an event goes in, the next action comes out. It makes
// every money decision of a request and performs none of them, so its tests need no socket.
//
//   reserving --held--> open --ended--> resolving --answer--> done
//       |                ^ |                 |                  ^
//    refused        extending            expired under us       |
//                                            +--> charging late +
//
// Where seconds are counted while they pass, `metered` says how many, and the hold grows ahead of
// them: by as much again as was metered, but by one step at most; by the exact need once a step was
// refused; and no more once that was refused too (`exhausted`). When no more will come, the hold is
// made the exact price, and the rest given back.
//
// The driver (proxy/gateway/exchange/exchange, proxy/gateway/settlement) performs the action it is
// given and reports back with the next event. Everything after `held` ends in `settle` or
// `void_hold`, whatever else happens.
//
// Two promises of the driver: every `apply` and `retry` is followed by exactly one `answered` or
// `store_failed`; `ended` comes once, at any time after `begin`, even while an operation is out.
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
  not_sent,  // the upstream never got it: connect failure, refused before forwarding
  refused,   // the upstream answered 4xx or 5xx
  accepted,  // the upstream answered 1xx (upgrade), 2xx, 303 or 304, and the answer ran to its end
  upstream_failed,      // it broke off, or timed out, in the middle of an accepted answer
  no_answer,            // it got the call and never answered: timeout or reset before the head
  client_gone_early,    // the client left before the upstream had all of the request
  client_gone,          // the client left during an accepted answer
  cut,                  // we ended an accepted answer, because the credits were used up
  client_gone_waiting,  // the client left when the upstream had all of the request, before the head
  redirected,           // the upstream answered 3xx: it did not do the work, and said who does
  stream_error,         // an accepted answer was a stream of events that told of an error only
  empty,                // an accepted answer that should have had content had none
};
inline constexpr std::size_t stream_end_count = 12;
std::string_view to_string(stream_end end);

enum class resolution : std::uint8_t { settle, void_hold };

// Per route; the defaults are the rules of money ("what is charged is what was used").
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
    usage estimated;  // worst case, beforehand
    settlement_policy policy;
    std::int64_t hold_step =
        60'000'000;  // of what is metered: the hold is at most so far ahead of it
    milliseconds hold_timeout{60'000};
    admission admit = admission::enforce;
    std::string request_id;
    attribution who;
  };

  // events
  struct begin {};
  struct answered {  // to the operation last asked for
    answer reply;
    time_point store_time{};  // ledger::now(); only a clock that moved by days makes a
                              // difference of it
  };
  struct store_failed {};  // the operation's outcome is unknown
  struct renewal_due {};   // a third of the timeout has passed
  struct metered {         // what has been used by now; never less than before
    usage so_far;
    bool final = false;  // and no more will come: no need to hold anything beyond it
  };
  // The upstream has begun an answer that is charged: from now on the ledger is told, with whatever
  // else it is asked, what to settle the hold at, should nobody come back to it.
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
  // Nothing held, nothing to clean up. Besides the refusals proper, `why` may be what became of the
  // id when it turns out to be taken: nobody's fault, the client may try again.
  struct refuse {
    outcome why;
  };
  struct refuse_unavailable {
    operation clean_up;
  };  // 503; void in the background: a hold may exist
  struct retry {
    operation what;
  };               // ask the same again, after a pause
  struct wait {};  // nothing to do until the next event
  struct done {
    credits charged;
  };
  using action = std::variant<apply, forward, refuse, refuse_unavailable, retry, wait, done>;

  explicit charge(terms terms);
  // One whose hold is in place, or was, and whose process has gone: the next event is `ended`.
  static charge recovered(terms terms);
  action resume(const event& event);

  const terms& agreed() const { return terms_; }
  // Under which the ledger has confirmed a hold: the id agreed on, or one that it went on under.
  // Where a part is charged already, by a hold that was settled when it expired, that hold: who
  // begins there, later and anew, is told of it.
  const hold_id& held_as() const { return paid_ ? hold_.paid_as : hold_.confirmed; }
  credits estimate() const { return price(terms_.price_at, terms_.estimated); }
  credits held() const { return hold_.amount; }  // what the hold in force is for
  bool covers(usage used) const { return price(terms_.price_at, used) <= hold_.amount; }
  // The hold cannot grow to what has been metered: the account has no more to give.
  bool exhausted() const { return growth_.exhausted; }
  // What the account had left at the ledger's last answer, after this call's hold.
  credits available() const { return said_.available; }
  bool beyond_balance() const { return said_.beyond_balance; }
  // What refused the reservation, or the last attempt to let the hold grow.
  outcome refused_as() const { return said_.refused_as; }
  const std::optional<obstacle>& obstacle_met() const { return said_.obstacle_met; }
  // The account's request rate, as of the reservation; nothing for an account without one.
  const std::optional<rate_status>& rate() const { return said_.rate; }

 private:
  enum class state : std::uint8_t {
    created,
    reserving,
    open,
    extending,
    releasing,       // no more will be metered: giving back what is held beyond it
    replacing,       // the hold expired under a running call: reserving its successor
    resolving,       // settling or voiding
    late_reserving,  // the hold expired before it was settled: reserving what was used after all,
    late_settling,   // and settling that
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
    hold_id id;         // of the one that is in force or asked for
    hold_id confirmed;  // of the last that the ledger confirmed
    hold_id paid_as;    // of the first that was settled when it expired
    // What is charged for this call so far, because a hold of it expired when the answer had begun,
    // counts as held: the hold in force is for what is beyond it.
    credits amount;
    bool renamed = false;  // the id agreed on was too old for the store
    bool gone = false;     // the last was settled when it expired, and there was no more to hold
  };
  // What the ledger said last.
  struct ledger_said {
    credits available;
    bool beyond_balance = false;
    outcome refused_as = outcome::insufficient_balance;
    std::optional<obstacle> obstacle_met;
    std::optional<rate_status> rate;
  };
  // Where usage is metered.
  struct growth {
    std::optional<charge::metered> metered;
    credits to;  // what the extend or the replacing reserve that is out asks for
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
  std::optional<operation> asked_;  // kept to be repeated, while resolving
};

}  // namespace tollgate::quota
