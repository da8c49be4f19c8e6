// The vocabulary of the ledger: the operations on an account, and their answers.
//
// Two ledgers implement it: `account_ledger` (ledger/account_ledger.hpp, pure C++, the oracle)
// and ledger/scripts (the same transitions, atomic inside Redis).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "quota/clock.hpp"
#include "quota/credits.hpp"
#include "quota/ids.hpp"
#include "quota/plan.hpp"
#include "quota/top_up.hpp"

namespace tollgate::quota {

// The dimensions by which a charge is tracked. Each member is at most 256 bytes without control
// characters (the classifier and the header reader check this); an empty member means "not given".
struct attribution {
  std::string route, action, model, agent, conversation, key_id;
  auto operator<=>(const attribution&) const = default;
};
const std::string& member_of(const attribution& who, limit_scope scope);

// How to treat a reservation beyond the balance (with the plan's overage), the spend cap or a
// limit.
enum class admission : std::uint8_t {
  enforce = 0,   // refuse it
  critical = 1,  // hold it and drive the balance below zero, up to `critical_overdraft`;
                 // suspension and the request rate still refuse it
  shadow = 2,    // refuse nothing: the route or organization is only observed
  owed = 3,      // refuse nothing: it has been used already, and usage is never dropped
};

// Puts `amount` aside until the hold is resolved, or until `timeout` has passed without an extend.
// A reservation of zero is always covered.
struct reserve {
  hold_id id;
  credits amount;
  milliseconds timeout{};
  admission admit = admission::enforce;
  std::string request_id;
  attribution who;
};

// What a call has used so far and its price: what its hold is settled at if it expires.
struct use {
  credits amount;
  std::int64_t used = 1;       // as in `settle`
  std::int64_t billed_us = 0;  // as in `settle`

  bool operator==(const use&) const = default;
};

// Sets the hold to `amount` in total (never less than it is) and restarts its timeout. The same
// amount again only renews it, which no balance can refuse. Suspension refuses new holds, not
// these.
struct extend {
  hold_id id;
  credits amount;
  milliseconds timeout{};
  admission admit = admission::enforce;
  // The part of the amount that is certainly used; the rest is only held ahead. A refusal is
  // reported as an event if this part would have been refused with nothing else held. Empty: all of
  // it.
  std::optional<credits> needed = {};
  // The upstream's answer has begun. If no settlement arrives before the timeout, the hold is
  // settled at this use instead of being given back. Never less than reported before.
  std::optional<use> answered = {};
};

// Lowers the hold to `amount` if it is larger, and gives the difference back before the hold is
// resolved. Sent only when no more will be used, because a delayed message may arrive at any time.
// The timeout is not restarted.
struct release {
  hold_id id;
  credits amount;
};

// Resolves the hold: `amount` is charged, the rest is released. More than was held is charged, too.
// An unknown id is remembered (as in extend and void_hold), so that a delayed reserve cannot place
// a hold that was already accounted for.
struct settle {
  hold_id id;
  credits amount;
  std::int64_t used = 1;  // in the base of the rate's unit, for usage counters; 0 to max_used
  // If `used` is microseconds of audio: how many of them are paid for (rate_card.hpp), 0 to
  // max_used. So it also tells the unit of `used`: 0 if that is a count.
  std::int64_t billed_us = 0;
};

// Resolves the hold: nothing is charged, all is released. An unknown id is remembered as voided.
struct void_hold {
  hold_id id;
};

// Resolves every hold whose timeout has passed: one whose answer has begun is settled at the use
// reported for it (`extend::answered`), any other is voided. Every operation does this first for
// its account; this one is for accounts without other operations. Only the first operation of a
// batch finds anything to sweep. `at_most`: no open hold lasts longer than this from now; 0: no
// such bound. A hold that would last longer was placed or renewed before the store's clock was set
// back, and its sidecar may be gone.
struct expire_holds {
  milliseconds at_most{};
};

// Adds credits, once per `id` (the caller's idempotency key, at most 128 bytes). A negative amount
// is allowed for kind "correction" only. Use beyond the balance is paid off first.
struct grant {
  std::string id;
  credits amount;
  std::string kind;  // purchase | promotion | correction
  std::string note;
  time_point expires_at{};           // not in the past; time_point{}: never
  std::optional<int> priority = {};  // 0 to max_priority; empty: the kind's default
};

// Sets the organization's terms and options; the first one starts its cycles. Repeating the same
// changes nothing. The answer's amount is the credits granted: the whole allocation if this cycle
// had none; otherwise, for a larger one, the difference for the rest of the cycle, by the second.
struct configure {
  plan_terms terms;
  bool at_once = true;  // otherwise the terms take effect with the next cycle; options always take
                        // effect at once
  account_options options;
  int anchor_day =
      0;  // 1 to 31; 0: unchanged, or today the first time. A change moves the next boundary
};

// Buys credits by hand, through the same exactly-once path as an automatic top-up. Once per `id`.
struct request_top_up {
  std::string id;
  std::int64_t cents = 0;
};

// A sidecar leases a top-up for this long before it delivers it to the payment endpoint. The answer
// `recorded` (its amount: the credits bought) entitles it to one delivery.
struct lease_top_up {
  std::string id;
  milliseconds lease{};
};

enum class top_up_verdict : std::uint8_t {
  paid = 0,
  declined = 1,
  pending = 2,  // will be confirmed later
  failed = 3,   // no answer: deliver it again, under the same id
  spent = 4,    // nothing was or can be paid under this generation of the key: as failed, but the
                // next delivery uses the next generation
};

// The outcome of a top-up. `paid` grants its credits, once, whatever was reported before; a `paid`
// one stays paid. Repeating `pending` confirms that it is still pending.
struct resolve_top_up {
  std::string id;
  top_up_verdict verdict = top_up_verdict::paid;
  std::int64_t generation = 0;  // spent: which one. A report of another generation changes nothing
};

enum class take_back_reason : std::uint8_t { refund = 0, dispute = 1 };

// The total of cents of a top-up's payment that have come back for this reason: their share of the
// credits is taken back as a correction. Less than reported before changes nothing. For an unpaid
// top-up they are taken back when it is paid.
struct take_back_top_up {
  std::string id;
  take_back_reason reason = take_back_reason::refund;
  std::int64_t cents = 0;
};

using operation =
    std::variant<reserve, extend, release, settle, void_hold, expire_holds, grant, configure,
                 request_top_up, lease_top_up, resolve_top_up, take_back_top_up>;

// Bounds, the same in both ledgers. Beyond them the answer is `out_of_range`, or `balance_full` if
// the amount is valid but the account cannot take it. No amount exceeds credits::max_micro, and
// nothing that would have to be cut is accepted (quota/README.md, "Bounds").
inline constexpr milliseconds max_hold_timeout = std::chrono::hours{24 * 7};  // and at least 1 ms
inline constexpr std::int64_t max_used = 10'000'000'000'000;  // 115 days of audio in one call

// The numbers are the wire protocol of ledger/scripts; never renumber.
enum class outcome : std::uint8_t {
  // done, for the first time
  held = 0,
  held_beyond_balance = 1,  // held, though `admission::enforce` would have refused it
  extended = 2,
  settled = 3,
  voided = 4,
  swept = 5,       // expire_holds: `amount` is what was given back
  granted = 6,     // also: a top-up was paid
  configured = 7,  // `amount` is what was granted
  recorded = 8,    // of a top-up: requested, leased, or resolved without credits
  released = 9,    // the hold is no larger than that now; `amount` is its amount

  // repeated: nothing changed, `amount` is the amount in the books
  exists = 10,                        // the same reserve or grant was done before; the hold is open
  exists_with_different_amount = 11,  // that id was used with another amount
  already_settled = 12,
  already_voided = 13,
  expired = 14,  // the hold timed out and was voided by a sweep
  not_found =
      15,  // settle, extend or release of a hold that was never reserved, and can no longer be
  forgotten = 16,         // the id is older than the ledger's memory: its resolution is unknown
  in_progress = 17,       // lease of a top-up: another sidecar has it, or its pause is not over
  already_paid = 18,      // of a top-up
  already_declined = 19,  // of a top-up

  // refused: nothing changed, `amount` is the requested one. If several apply, a reservation is
  // answered out_of_range, suspended, rate_limited, limit_reached, and then the balance or the cap,
  // in this order.
  insufficient_balance = 20,
  suspended = 21,
  out_of_range = 22,   // beyond a bound above, or negative where only a correction may be
  rate_limited = 23,   // too many requests; a request refused for another reason has been counted
  cap_reached = 24,    // beyond the balance, and its cost is beyond the spend cap
  limit_reached = 25,  // of an agent, a conversation or a key
  balance_full =
      26,  // credits that would exceed the bound of the balance, or of the sum of all grants

  // repeated, as above: the hold timed out after its answer had begun. `amount` was charged, and
  // `answer::charged` has the use; more may have been used since
  settled_on_expiry = 27,
};

std::string_view to_string(outcome outcome);

// The request rate of an account: a bucket of `burst` requests that refills at `per_minute` (GCRA).
struct rate_status {
  std::int64_t per_minute = 0, burst = 0;
  std::int64_t remaining = 0;  // requests that are allowed at once
  time_point full_at;          // when it will be `burst` again, without further requests

  bool operator==(const rate_status&) const = default;
};

// The reason why a reservation or an extension was refused, and what will end it.
struct obstacle {
  credits room;  // the amount that would have been admitted
  time_point
      until{};  // when waiting helps: the next cycle, hour or day, the next request; else never
  limit_scope scope = limit_scope::agent;  // limit_reached: the scope of the limit,
  limit_window per = limit_window::total;  // its window,
  credits most;                            // and its amount
  bool top_up_open = false;                // credits were requested and may arrive at any moment
  credits held = {};  // balance or cap: by other calls, which give back what they do not use

  bool operator==(const obstacle&) const = default;
};

struct answer {
  outcome result = outcome::held;
  credits amount;                        // of the hold, the settlement or the grant of this answer
  credits available;                     // of the account, after the operation
  std::optional<rate_status> rate = {};  // reservations of an account with a request rate
  std::optional<obstacle> why = {};      // refused: rate, balance, cap or limit
  std::optional<use> charged = {};       // settled_on_expiry

  bool operator==(const answer&) const = default;
};

// True if the hold is in place: the request may be forwarded.
constexpr bool is_held(outcome result) {
  return result == outcome::held || result == outcome::held_beyond_balance ||
         result == outcome::exists;
}

// How long the resolution of a hold is remembered, counted from the hour of its id or of its
// resolution, whichever is later. A reserve with an older id is never held (the answer is
// `forgotten`), so a message delayed for days cannot charge twice.
inline constexpr std::int64_t resolution_memory_hours = 48;

}  // namespace tollgate::quota
