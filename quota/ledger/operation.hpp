// The vocabulary of the ledger: what can be asked of an account, and what it can answer.
//
// The same vocabulary is spoken by two ledgers: `account_ledger` (ledger/account_ledger.hpp, pure
// C++, the oracle) and ledger/scripts (the same transitions, atomic inside Redis).
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

// Who and what a charge is tracked by. Each member is at most 256 bytes without control characters
// (the classifier and the header reader see to it); an empty member means "not given".
struct attribution {
  std::string route, action, model, agent, conversation, key_id;
  auto operator<=>(const attribution&) const = default;
};
const std::string& member_of(const attribution& who, limit_scope scope);

// What happens when a reservation is beyond the balance (and the overage that the plan allows), the
// spend cap or a limit.
enum class admission : std::uint8_t {
  enforce = 0,   // refuse it
  critical = 1,  // hold it and drive the balance below zero, as far as `critical_overdraft` goes; a
                 // suspended account and the request rate still refuse it
  shadow = 2,    // refuse nothing: this route or organization is only being watched
  owed = 3,      // refuse nothing: it has been used already, and what was used is never dropped
};

// Puts `amount` aside until the hold is resolved, or until `timeout` has passed without an extend.
// A reservation of nothing is always covered.
struct reserve {
  hold_id id;
  credits amount;
  milliseconds timeout{};
  admission admit = admission::enforce;
  std::string request_id;
  attribution who;
};

// What a call has used by now and what that costs: what its hold is settled at, should it expire.
struct use {
  credits amount;
  std::int64_t used = 1;       // as in `settle`
  std::int64_t billed_us = 0;  // likewise

  bool operator==(const use&) const = default;
};

// Makes the hold `amount` in total (never less than it is) and starts its timeout anew. The same
// amount again only renews it, which no balance can refuse. Suspension stops new holds, not these.
struct extend {
  hold_id id;
  credits amount;
  milliseconds timeout{};
  admission admit = admission::enforce;
  // How much of it is used for certain; the rest is only held ahead. Somebody is told of a refusal
  // when this much would have been refused with nothing else held. Nothing: all of it is.
  std::optional<credits> needed = {};
  // The upstream's answer has begun, and so much of it is to be charged if nobody comes back to
  // settle: the hold is then settled when its timeout has passed, not given back. Never less than
  // was said before.
  std::optional<use> answered = {};
};

// Makes the hold `amount` where it is more, and gives the rest back before the hold is resolved.
// Asked for when it is known that no more will be used: a message that was delayed on its way may
// come at any time. The timeout goes on as it was.
struct release {
  hold_id id;
  credits amount;
};

// Resolves the hold: `amount` is charged, the rest is released. More than was held is charged too.
// An id never seen is remembered (as by extend and void_hold), so that a reserve that was delayed
// on its way cannot bring to life what has been accounted for otherwise.
struct settle {
  hold_id id;
  credits amount;
  std::int64_t used = 1;  // in the base of the rate's unit, for the usage counters; 0 to max_used
  // Where `used` is microseconds of audio: what of them is paid for (rate_card.hpp), 0 to max_used.
  // So it also tells the unit of `used`: 0 where that is a count.
  std::int64_t billed_us = 0;
};

// Resolves the hold: nothing is charged, all is released. An id never seen is remembered as voided.
struct void_hold {
  hold_id id;
};

// Resolves every hold whose timeout has passed: one whose answer has begun is settled at what was
// said of it (`extend::answered`), any other voided. Every operation does this first, on its own
// account; this one is for accounts that see no other. Only the first operation of a batch finds
// anything to sweep. `at_most`: no open hold lasts longer than this from now; 0: they last as long
// as they do. A hold that would was placed or renewed before the store's clock was set back, and
// its sidecar may be gone.
struct expire_holds {
  milliseconds at_most{};
};

// Adds credits, once for each `id` (the caller's idempotency key, at most 128 bytes). A negative
// amount is allowed for kind "correction" only. What has been used beyond the balance is paid off
// first.
struct grant {
  std::string id;
  credits amount;
  std::string kind;  // purchase | promotion | correction
  std::string note;
  time_point expires_at{};           // not in the past; time_point{}: never
  std::optional<int> priority = {};  // 0 to max_priority; the default is that of the kind
};

// Sets what the organization has agreed to and what it has chosen; the first one starts its cycles.
// The same again changes nothing. The answer's amount is what was granted by it: the whole
// allocation where this cycle had none, otherwise, for a larger one, the difference for the rest of
// the cycle, by the second.
struct configure {
  plan_terms terms;
  bool at_once =
      true;  // otherwise the terms take effect with the next cycle; the options never wait
  account_options options;
  int anchor_day =
      0;  // 1 to 31; 0: as it is, and today for a first time. A change moves the next boundary
};

// Buys credits by hand, through the same exactly-once path as an automatic top-up. Once for each
// `id`.
struct request_top_up {
  std::string id;
  std::int64_t cents = 0;
};

// A sidecar leases a top-up for so long before it delivers it to the payment endpoint. The answer
// `recorded` (the amount: the credits it buys) entitles to one delivery.
struct lease_top_up {
  std::string id;
  milliseconds lease{};
};

enum class top_up_verdict : std::uint8_t {
  paid = 0,
  declined = 1,
  pending = 2,  // will be confirmed later
  failed = 3,   // nobody answered: to be delivered again, under the same id
  spent = 4,    // nothing was paid under this generation of the key, nor can be: as failed, but the
                // next delivery is under the next generation
};

// What became of a top-up. `paid` grants its credits, once, whatever was said before; a `paid` one
// stays paid. `pending` again says that it is still so.
struct resolve_top_up {
  std::string id;
  top_up_verdict verdict = top_up_verdict::paid;
  std::int64_t generation =
      0;  // spent: which one. Another one was told before, and changes nothing
};

enum class take_back_reason : std::uint8_t { refund = 0, dispute = 1 };

// So many cents of a top-up's payment have come back, in all, for this reason: its share of the
// credits is taken back as a correction. Less than was told before changes nothing. Of one that is
// not paid yet they are taken when it is.
struct take_back_top_up {
  std::string id;
  take_back_reason reason = take_back_reason::refund;
  std::int64_t cents = 0;
};

using operation =
    std::variant<reserve, extend, release, settle, void_hold, expire_holds, grant, configure,
                 request_top_up, lease_top_up, resolve_top_up, take_back_top_up>;

// Bounds, kept alike by both ledgers; beyond them the answer is `out_of_range`, or `balance_full`
// where the amount is fair and the account has no room for it. Besides, no amount passes
// credits::max_micro, and nothing that would be cut to fit is accepted (quota/README.md, "Bounds").
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
  swept = 5,       // expire_holds: `amount` is what came back
  granted = 6,     // also: a top-up was paid
  configured = 7,  // `amount` is what was granted by it
  recorded = 8,    // of a top-up: requested, leased, or resolved without credits
  released = 9,    // the hold is no more than that; `amount` is what it is

  // repeated: nothing changed, `amount` is what stands in the books
  exists = 10,                        // the same reserve or grant was done before; the hold is open
  exists_with_different_amount = 11,  // that id was used with another amount
  already_settled = 12,
  already_voided = 13,
  expired = 14,    // the hold timed out and was voided by a sweep
  not_found = 15,  // settle, extend or release of a hold that nobody reserved, nor can from now on
  forgotten = 16,  // the id is older than the ledger's memory: what became of it cannot be told
  in_progress = 17,   // lease of a top-up: another sidecar has it, or it is not yet to be repeated
  already_paid = 18,  // of a top-up
  already_declined = 19,  // of a top-up

  // refused: nothing changed, `amount` is what was asked. Where several apply, a reservation is
  // answered out_of_range, suspended, rate_limited, limit_reached, and then the balance or the cap.
  insufficient_balance = 20,
  suspended = 21,
  out_of_range = 22,   // beyond a bound above, or negative where only a correction may be
  rate_limited = 23,   // too many requests; a request refused otherwise has been counted as one
  cap_reached = 24,    // beyond the balance, and what that would cost is beyond the spend cap
  limit_reached = 25,  // of an agent, a conversation or a key
  balance_full =
      26,  // credits that would lift the balance, or the sum of all grants, beyond counting

  // repeated, as those above: the hold timed out when its answer had begun. `amount` was charged,
  // and
  // `answer::charged` says for what; more may have been used since
  settled_on_expiry = 27,
};

std::string_view to_string(outcome outcome);

// The request rate of an account: a bucket that holds `burst` requests and is refilled at
// `per_minute` (GCRA).
struct rate_status {
  std::int64_t per_minute = 0, burst = 0;
  std::int64_t remaining = 0;  // requests that may come at once
  time_point full_at;          // when it will be `burst` again, if none comes

  bool operator==(const rate_status&) const = default;
};

// What stood in the way of a reservation or an extension, and what will end it.
struct obstacle {
  credits room;  // what would have been admitted
  time_point
      until{};  // when waiting helps: the next cycle, hour or day, the next request; else never
  limit_scope scope = limit_scope::agent;  // limit_reached: whose limit,
  limit_window per = limit_window::total;  // in which window,
  credits most;                            // and how much it is
  bool top_up_open = false;                // credits have been asked for and may come any moment
  credits held = {};  // balance or cap: by other calls, which give back what they do not use

  bool operator==(const obstacle&) const = default;
};

struct answer {
  outcome result = outcome::held;
  credits amount;     // of the hold, the settlement or the grant this answer is about
  credits available;  // of the account, after the operation
  std::optional<rate_status> rate = {};  // reservations of an account that has a request rate
  std::optional<obstacle> why = {};      // refused: rate, balance, cap or limit
  std::optional<use> charged = {};       // settled_on_expiry

  bool operator==(const answer&) const = default;
};

// True when the hold is in place: the request may be forwarded.
constexpr bool is_held(outcome result) {
  return result == outcome::held || result == outcome::held_beyond_balance ||
         result == outcome::exists;
}

// How long the resolution of a hold is remembered: this long after the hour its id was made in, or
// it was resolved in, whichever is later. A reserve with an id older than this is never held (the
// answer is `forgotten`), so that a message delayed for days cannot charge twice.
inline constexpr std::int64_t resolution_memory_hours = 48;

}  // namespace tollgate::quota
