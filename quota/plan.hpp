// The terms of an organization's plan, and its options: plain values. The configuration and the
// admin API fill them in, `configure` passes them to the ledger, and both ledgers store them with
// the account.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "quota/credits.hpp"

namespace tollgate::quota {

struct plan_terms {
  std::string plan;          // its name in the configuration; empty: no plan
  credits allocation;        // granted at the start of every cycle
  int rollover_percent = 0;  // unused credits roll over, up to this share of the allocation,
  int rollover_cycles = 0;   // for this many cycles
  // The price of a credit, in millionths of a dollar, for overage and top-ups. 0: neither is
  // available.
  std::int64_t usd_micro_per_credit = 0;
  std::int64_t top_up_minimum_cents = 0;
  std::int64_t requests_per_minute = 0;  // 0: unlimited
  std::int64_t burst = 0;                // requests allowed at once

  bool operator==(const plan_terms&) const = default;
};
// Whether such an allocation, and its rollover, fit into one balance.
bool terms_fit(const plan_terms& terms);

// The numbers are the wire protocol of ledger/scripts.
enum class limit_scope : std::uint8_t { agent = 0, conversation = 1, key = 2 };
enum class limit_window : std::uint8_t { hour = 0, day = 1, cycle = 2, total = 3 };
std::string_view to_string(limit_scope scope);    // "agent" "conversation" "key"
std::string_view to_string(limit_window window);  // "hour" "day" "cycle" "total"

// A cap on what one agent, conversation or key may use in a window of time. Hours and days are in
// UTC.
struct spend_limit {
  limit_scope scope = limit_scope::agent;
  std::string id;  // whose; "*": each separately
  credits most;
  limit_window per = limit_window::day;

  bool operator==(const spend_limit&) const = default;
};

// The base of an alert's percentage, or the usage it measures. The numbers are the wire protocol.
enum class alert_kind : std::uint8_t {
  allocation_percent = 0,  // of the credits given in the cycle: allocation, rollover, and purchases
  spend_cap_percent = 1,   // of the cap: overage and automatic top-ups
  credits_used = 2,        // in the cycle
};

// Fires once per cycle, at the crossing, however large the charge; again only in the next cycle, or
// after new credits have brought usage back below it. An alert with a scope counts what one agent,
// conversation or key has settled since it was set, in calls of this cycle; it cannot be on the
// cap.
struct usage_alert {
  alert_kind kind = alert_kind::allocation_percent;
  std::int64_t level = 0;                 // percent, or micro-credits
  std::optional<limit_scope> scope = {};  // empty: the whole organization
  std::string id = {};                    // with a scope: whose; "*": each separately

  bool operator==(const usage_alert&) const = default;
};
inline bool same_counter(const usage_alert& a, const usage_alert& b) {
  return a.scope == b.scope && a.id == b.id;
}

struct account_options {
  bool overage =
      true;  // calls continue when the credits are used up, if the plan has a price for it
  std::optional<std::int64_t> spend_cap_cents;  // per cycle: overage and automatic top-ups together
  std::optional<credits>
      critical_overdraft;                   // how far critical calls may go beyond balance and cap
  std::optional<credits> top_up_threshold;  // buy credits when fewer are available
  std::int64_t top_up_cents = 0;            // for this amount, and at least the plan's minimum
  bool top_up_fill =
      false;  // or for the amount that lifts the balance to the threshold, if that is more
  std::vector<spend_limit> limits;
  std::vector<usage_alert> alerts;

  bool operator==(const account_options&) const = default;
};

// What critical calls may do beyond the balance and the overage of an account: how far they may go
// if the account has no `critical_overdraft` of its own (empty: any distance), and how many of them
// there may be (0: any number). Configuration, like prices: it is not stored.
struct critical_terms {
  std::optional<credits> overdraft = {};
  std::int64_t requests_per_minute = 0, burst = 0;

  bool operator==(const critical_terms&) const = default;
};

// Bounds within which both ledgers count exactly (doubles add integers up to 9 * 10^15).
inline constexpr std::int64_t max_usd_micro_per_credit = 1'000'000'000;  // $1,000
inline constexpr std::int64_t max_cents = 900'000'000'000;
inline constexpr std::int64_t max_requests_per_minute = 1'000'000;
inline constexpr std::size_t max_limits = 64;
inline constexpr std::size_t max_alerts = 32;
inline constexpr std::int64_t max_alert_percent = 1'000;  // of the cap: 100

}  // namespace tollgate::quota
