// What an organization has agreed to (its plan's terms) and what it has chosen (its options): plain
// values. The configuration and the admin API fill them, `configure` hands them to the ledger, and
// both ledgers keep them beside the account.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quota/credits.hpp"

namespace tollgate::quota {

struct plan_terms {
  std::string plan;          // its name in the configuration; empty: no plan
  credits allocation;        // granted at the beginning of every cycle
  int rollover_percent = 0;  // of the allocation: so much of what is unused of it goes on,
  int rollover_cycles = 0;   // for so many cycles
  // Money for a credit, in millionths of a dollar: what overage costs, and what a top-up buys at.
  // 0: neither is to be had.
  std::int64_t usd_micro_per_credit = 0;
  std::int64_t top_up_minimum_cents = 0;
  std::int64_t requests_per_minute = 0;  // 0: any rate
  std::int64_t burst = 0;                // so many may come at once

  bool operator==(const plan_terms&) const = default;
};
// Whether such an allocation, and what rolls over of it, can be in one balance.
bool terms_fit(const plan_terms& terms);

// The numbers are the wire protocol of ledger/scripts.
enum class limit_scope : std::uint8_t { agent = 0, conversation = 1, key = 2 };
enum class limit_window : std::uint8_t { hour = 0, day = 1, cycle = 2, total = 3 };
std::string_view to_string(limit_scope scope);    // "agent" "conversation" "key"
std::string_view to_string(limit_window window);  // "hour" "day" "cycle" "total"

// A cap on what one agent, conversation or key may use in a window of time. Hours and days are
// UTC's.
struct spend_limit {
  limit_scope scope = limit_scope::agent;
  std::string id;  // whose; "*": each of them by itself
  credits most;
  limit_window per = limit_window::day;

  bool operator==(const spend_limit&) const = default;
};

// Of what an alert is a part, or which usage it is about. The numbers are the wire protocol.
enum class alert_kind : std::uint8_t {
  allocation_percent =
      0,  // of the credits the cycle was given: allocation, rollover, and what was bought
  spend_cap_percent = 1,  // of the cap: overage and automatic top-ups
  credits_used = 2,       // in the cycle
};

// Fires once a cycle, at the crossing, however far one charge jumps; again only in the next cycle,
// or after new credits have brought usage back below it. One with a scope is about what one agent,
// conversation or key has settled since it was set, of calls of this cycle; it cannot be about the
// cap.
struct usage_alert {
  alert_kind kind = alert_kind::allocation_percent;
  std::int64_t level = 0;                 // percent, or micro-credits
  std::optional<limit_scope> scope = {};  // nothing: the whole organization
  std::string id = {};                    // with a scope: whose; "*": each of them by itself

  bool operator==(const usage_alert&) const = default;
};
inline bool same_counter(const usage_alert& a, const usage_alert& b) {
  return a.scope == b.scope && a.id == b.id;
}

struct account_options {
  bool overage = true;  // calls go on when the credits are used up, if the plan has a price for it
  std::optional<std::int64_t>
      spend_cap_cents;  // of a cycle: overage and automatic top-ups together
  std::optional<credits>
      critical_overdraft;                   // how far critical calls may go beyond balance and cap
  std::optional<credits> top_up_threshold;  // buy credits when fewer are available
  std::int64_t top_up_cents = 0;            // for so much, and at least the plan's minimum
  bool top_up_fill =
      false;  // for as much as lifts the balance to the threshold, where that is more
  std::vector<spend_limit> limits;
  std::vector<usage_alert> alerts;

  bool operator==(const account_options&) const = default;
};

// Bounds within which both ledgers count exactly (doubles add integers up to 9 * 10^15).
inline constexpr std::int64_t max_usd_micro_per_credit = 1'000'000'000;  // $1,000
inline constexpr std::int64_t max_cents = 900'000'000'000;
inline constexpr std::int64_t max_requests_per_minute = 1'000'000;
inline constexpr std::size_t max_limits = 64;
inline constexpr std::size_t max_alerts = 32;
inline constexpr std::int64_t max_alert_percent = 1'000;  // of the cap: 100

}  // namespace tollgate::quota
