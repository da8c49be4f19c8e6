// An organization's terms and options, as set by `configure`.
#include <algorithm>

#include "quota/cycle.hpp"
#include "quota/ledger/account_ledger.hpp"
#include "quota/money.hpp"

namespace tollgate::quota {

namespace {

constexpr milliseconds longest_cycle = std::chrono::hours{24 * 62};

bool between(std::int64_t value, std::int64_t low, std::int64_t high) {
  return value >= low && value <= high;
}

bool in_bounds(credits amount) {
  return amount >= credits{} && amount.in_range();
}

bool in_bounds(const plan_terms& terms) {
  return in_bounds(terms.allocation) && between(terms.rollover_percent, 0, 1000) &&
         between(terms.rollover_cycles, 0, 120) && terms_fit(terms) &&
         between(terms.usd_micro_per_credit, 0, max_usd_micro_per_credit) &&
         between(terms.top_up_minimum_cents, 0, max_cents) &&
         between(terms.requests_per_minute, 0, max_requests_per_minute) &&
         between(terms.burst, terms.requests_per_minute > 0 ? 1 : 0, max_requests_per_minute);
}

bool in_bounds(const account_options& options) {
  const auto& limits = options.limits;
  return between(options.spend_cap_cents.value_or(0), 0, max_cents) &&
         in_bounds(options.critical_overdraft.value_or(credits{})) &&
         in_bounds(options.top_up_threshold.value_or(credits{})) &&
         between(options.top_up_cents, 0, max_cents) && limits.size() <= max_limits &&
         std::all_of(limits.begin(), limits.end(),
                     [](const auto& limit) { return in_bounds(limit.most) && !limit.id.empty(); });
}

bool in_bounds(const usage_alert& alert) {
  if (alert.scope && alert.id.empty()) return false;
  switch (alert.kind) {
    case alert_kind::allocation_percent:
      return between(alert.level, 1, max_alert_percent);
    case alert_kind::spend_cap_percent:
      return between(alert.level, 1, 100) && !alert.scope;
    case alert_kind::credits_used:
      break;
  }
  return between(alert.level, 1, credits::max_micro);
}

bool in_bounds(const std::vector<usage_alert>& alerts) {
  return alerts.size() <= max_alerts &&
         std::all_of(alerts.begin(), alerts.end(),
                     [](const auto& each) { return in_bounds(each); });
}

bool same_limit(const spend_limit& a, const spend_limit& b) {
  return a.scope == b.scope && a.per == b.per && a.id == b.id;
}

// Alerts of one scope and id share a count: one that is added starts with the existing count.
std::vector<time_point> counting_since(const std::vector<usage_alert>& alerts,
                                       const account_plan& before, time_point now) {
  std::vector<time_point> since;
  for (const auto& alert : alerts) {
    since.push_back(alert.scope ? now : time_point{});
    for (std::size_t i = 0; alert.scope && i < before.alerts_since.size(); ++i) {
      const auto& other = before.options.alerts[i];
      if (same_counter(other, alert)) since.back() = before.alerts_since[i];
    }
  }
  return since;
}

}  // namespace

answer account_ledger::on(const configure& what, time_point now) {
  if (!in_bounds(what.terms) || !in_bounds(what.options) || !in_bounds(what.options.alerts) ||
      !between(what.anchor_day, 0, 31)) {
    return say(outcome::out_of_range, credits{});
  }
  const bool first = !plan_;
  const auto before = plan_;
  const bool moves = !first && what.anchor_day > 0 && what.anchor_day != plan_->anchor_day;
  if (moves && !is_beginning(now) &&
      end_with_anchor(what.anchor_day) > plan_->start + longest_cycle) {
    return say(outcome::out_of_range, credits{});
  }
  if (!has_room_for(what)) return say(outcome::balance_full, credits{});
  if (first) {
    plan_.emplace();
    plan_->began = now;
    // Earlier grants stay earlier, whatever the clock said.
    for (auto& grant : grants_.active) grant.at = std::min(grant.at, now);
    begin_with_anchor(what.anchor_day > 0 ? what.anchor_day : day_of_month(now), now);
    plan_->owed = overdrawn();
  } else if (changes_money(what)) {
    settle_up(now);
  }
  credits granted;
  if (first || what.at_once) {
    granted = change_terms(what.terms, now);
  } else {
    plan_->next_terms.reset();
    if (what.terms != plan_->terms) plan_->next_terms = what.terms;
  }
  change_options(what.options, now);
  if (moves && is_beginning(now)) {
    begin_with_anchor(what.anchor_day, now);
  } else if (moves) {
    granted += change_anchor(what.anchor_day, now);
  }
  const bool changed = first || before->terms != plan_->terms ||
                       before->next_terms != plan_->next_terms ||
                       before->options != plan_->options || before->anchor_day != plan_->anchor_day;
  if (changed) emit("billing_updated", "plan " + plan_->terms.plan, now);
  return say(outcome::configured, granted);
}

bool account_ledger::changes_money(const configure& what) const {
  const auto& options = plan_->options;
  const bool other_terms =
      what.at_once && (what.terms.usd_micro_per_credit != plan_->terms.usd_micro_per_credit ||
                       what.terms.allocation != plan_->terms.allocation);
  return other_terms || what.options.overage != options.overage ||
         what.options.spend_cap_cents != options.spend_cap_cents ||
         (what.anchor_day > 0 && what.anchor_day != plan_->anchor_day);
}

// Bills the use so far under the old terms; what they do not cover is owed in credits. So of
// several changes at one instant only the first finds anything to bill, under the terms before all
// of them, and their order makes no difference.
void account_ledger::settle_up(time_point now) {
  const auto due = billable_overage(*plan_, record(plan_->cycle), top_up_, overdrawn());
  if (due > credits{}) bill(due, plan_->cycle, now);
  plan_->owed = overdrawn();
}

// The first boundary of that anchor that does not shorten the cycle.
time_point account_ledger::end_with_anchor(int day) const {
  return cycle_end(day, plan_->end - milliseconds{1});
}

// The approximate share of an allocation for the time by which another anchor lengthens the cycle.
credits account_ledger::share_for_anchor(credits allocation, int day) const {
  const auto gained = (end_with_anchor(day) - plan_->end) / std::chrono::seconds{1};
  const auto usual = (plan_->usual_end - plan_->start) / std::chrono::seconds{1};
  return credits::from_micro(mul_div_half_up(allocation.micro(), gained, usual));
}

// Whether the maximum that this may grant, now or when the cycle closes, fits with the existing
// credits.
bool account_ledger::has_room_for(const configure& what) const {
  auto given = what.terms.allocation;
  if (plan_) {
    const bool allotted = plan_->peak > credits{};
    const auto peak = what.at_once ? std::max(plan_->peak, given) : plan_->peak;
    if (what.at_once) given += longer_share(given);
    if (what.at_once && allotted) given = std::max(given - plan_->peak, credits{});
    if (what.anchor_day > 0 && what.anchor_day != plan_->anchor_day) {
      given += share_for_anchor(peak, what.anchor_day);
    }
  }
  return given <= credits{} || row_.posted() + given <= max_posted;
}

// The cycle, and everything that ends with it, continues until the new anchor's next boundary; the
// added time brings a share of the allocation. Returns the credits granted.
credits account_ledger::change_anchor(int day, time_point now) {
  bring_up_to_date();
  const auto before = longer_share(plan_->peak);
  plan_->end = end_with_anchor(day);
  plan_->anchor_day = day;
  record(plan_->cycle).end = plan_->end;
  grant_list moved;
  for (auto& grant : grants_.active) {
    const bool of_a_cycle = grant.kind == "allocation" || grant.kind == "rollover";
    if (of_a_cycle && grant.expires_at != never) {
      grant.expires_at = cycle_end(day, grant.expires_at - milliseconds{1});
    }
    insert(moved, std::move(grant));
  }
  grants_.active = std::move(moved);
  const auto share = longer_share(plan_->peak) - before;
  if (share <= credits{}) return {};
  add_grant("allocation:" + std::to_string(plan_->cycle) +
                ":until:" + std::to_string(plan_->end.time_since_epoch().count()),
            "allocation", share, default_priority("allocation"), plan_->end, "", now);
  return share;
}

// An anchor set at the instant in which the first cycle began is the anchor with which it began.
void account_ledger::begin_with_anchor(int day, time_point now) {
  plan_->anchor_day = day;
  plan_->start = cycle_start(day, now);
  plan_->end = plan_->usual_end = cycle_end(day, now);
  record(0).start = plan_->start;
  record(0).end = plan_->end;
  for (auto& grant : grants_.active) {
    if (grant.kind == "allocation") grant.expires_at = plan_->end;
  }
}

// The share of an allocation for the time by which the cycle is longer than usual.
credits account_ledger::longer_share(credits allocation) const {
  const auto usual = (plan_->usual_end - plan_->start) / std::chrono::seconds{1};
  const auto gained = (plan_->end - plan_->usual_end) / std::chrono::seconds{1};
  return credits::from_micro(mul_div_half_up(allocation.micro(), gained, usual));
}

// The share of an allocation for the rest of the cycle. The parts before and after the usual end
// are rounded separately, so that a larger allocation and a longer cycle give the same in either
// order.
credits account_ledger::share_of_cycle(credits allocation, time_point now) const {
  const auto usual = (plan_->usual_end - plan_->start) / std::chrono::seconds{1};
  const auto left = (plan_->usual_end - now) / std::chrono::seconds{1};
  const auto share =
      credits::from_micro(mul_div_half_up(allocation.micro(), left < 0 ? -left : left, usual));
  return longer_share(allocation) + (left < 0 ? -share : share);
}

// Returns the credits granted.
credits account_ledger::change_terms(const plan_terms& terms, time_point now) {
  const bool other_rate = terms.requests_per_minute != plan_->terms.requests_per_minute ||
                          terms.burst != plan_->terms.burst;
  if (other_rate) bucket_ = {};
  auto id = "allocation:" + std::to_string(plan_->cycle);
  auto amount = terms.allocation + longer_share(terms.allocation);
  if (plan_->peak > credits{}) {
    const auto peak = std::max(terms.allocation, plan_->peak);
    amount = is_beginning(now) ? peak - plan_->peak
                               : share_of_cycle(peak, now) - share_of_cycle(plan_->peak, now);
    id += ":" + std::to_string(now.time_since_epoch().count());
  }
  plan_->terms = terms;
  plan_->next_terms.reset();
  plan_->peak = std::max(plan_->peak, terms.allocation);
  if (amount <= credits{}) return {};
  add_grant(std::move(id), "allocation", amount, default_priority("allocation"), plan_->end, "",
            now);
  return amount;
}

void account_ledger::change_options(const account_options& options, time_point now) {
  // All limits set together get the same sequence number, which no hold has yet.
  std::vector<time_point> since;
  std::optional<time_point> first;
  for (const auto& limit : options.limits) {
    std::optional<time_point> before;
    for (std::size_t i = 0; i < plan_->options.limits.size(); ++i) {
      if (same_limit(plan_->options.limits[i], limit)) before = plan_->limits_since[i];
    }
    if (!before && !first)
      first = time_point{milliseconds{next_sequence(now.time_since_epoch().count() + 1)}};
    since.push_back(before.value_or(first.value_or(now)));
  }
  if (options != plan_->options) {
    top_up_.not_before = {};  // the old options may have caused the pause
    plan_->told_cap = false;
  }
  std::vector<bool> armed(options.alerts.size(), true);
  for (std::size_t i = 0; i < armed.size(); ++i) {
    for (std::size_t j = 0; j < plan_->armed.size(); ++j) {
      if (plan_->options.alerts[j] == options.alerts[i]) armed[i] = plan_->armed[j];
    }
  }
  plan_->alerts_since = counting_since(options.alerts, *plan_, now);
  plan_->armed = std::move(armed);
  plan_->options = options;
  plan_->limits_since = std::move(since);
}

}  // namespace tollgate::quota
