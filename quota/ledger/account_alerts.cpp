// Alerts, and the events that tell of what has happened to an account.
#include <algorithm>

#include "quota/ledger/account_ledger.hpp"
#include "quota/money.hpp"

namespace tollgate::quota {

namespace {

std::string micro(credits amount) {
  return std::to_string(amount.micro());
}

}  // namespace

void account_ledger::emit(std::string type, std::string facts, time_point now) {
  auto& event = events_.emplace_back();
  event.id = std::to_string(events_.size());
  event.at = now;
  event.type = std::move(type);
  event.facts = std::move(facts);
}

credits account_ledger::given_in_cycle() const {
  const auto& books = records_.at(plan_->cycle);
  return books.allocation + books.rolled_in + books.purchase + books.top_up + books.promotion +
         books.correction;
}

credits account_ledger::used_in_cycle() const {
  return row_.settled - records_.at(plan_->cycle).settled;
}

std::int64_t account_ledger::spent_cents() const {
  auto cents = top_up_.spent_cents;
  for (const auto& line : records_.at(plan_->cycle).billed) {
    cents += cents_for(line.amount, line.usd_micro_per_credit).value_or(max_cents);
  }
  return cents;
}

// Whether so much of the spend cap is used up, by what has been used and paid: holds do not count.
bool account_ledger::spent_of_cap(std::int64_t percent) const {
  if (!plan_->options.spend_cap_cents) return false;
  const auto missing = *plan_->options.spend_cap_cents * percent * (usd_micro_per_cent / 100) -
                       spent_cents() * usd_micro_per_cent;
  if (missing <= 0) return true;
  if (!allows_overage(*plan_)) return false;
  return overdrawn() >= credits_to_cover(missing, plan_->terms.usd_micro_per_credit);
}

bool account_ledger::reached(const usage_alert& alert) const {
  switch (alert.kind) {
    case alert_kind::allocation_percent: {
      const auto given = given_in_cycle();
      return given > credits{} && used_in_cycle() >= share_of(given, alert.level);
    }
    case alert_kind::spend_cap_percent:
      return spent_of_cap(alert.level);
    case alert_kind::credits_used:
      break;
  }
  return used_in_cycle() >= credits::from_micro(alert.level);
}

std::string account_ledger::facts_of(const usage_alert& alert) const {
  if (alert.kind == alert_kind::spend_cap_percent) {
    return "cap_percent " + std::to_string(alert.level) + " cap_cents " +
           std::to_string(*plan_->options.spend_cap_cents) + " spent_cents " +
           std::to_string(spent_cents()) + " overdrawn " + micro(overdrawn());
  }
  const bool share = alert.kind == alert_kind::allocation_percent;
  return (share ? "percent " : "credits ") + std::to_string(alert.level) + " used " +
         micro(used_in_cycle()) + " of " + micro(given_in_cycle());
}

// After every operation: what has been crossed is told once, in the order of the list.
void account_ledger::watch_alerts(time_point now) {
  if (!plan_) return;
  const auto& alerts = plan_->options.alerts;
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    const bool there = reached(alerts[i]);
    if (there && plan_->armed[i]) emit("usage_threshold", facts_of(alerts[i]), now);
    plan_->armed[i] = !there;
  }
  if (total(grants().active) == credits{}) tell_refused(outcome::insufficient_balance, now);
  if (spent_of_cap(100)) tell_refused(outcome::cap_reached, now);
}

// Of the end of the credits, and of the cap, it is told when a call has been refused for it, or
// when it is there to the micro-credit, whichever comes first.
void account_ledger::tell_refused(outcome how, time_point now) {
  if (!plan_) return;
  if (how == outcome::insufficient_balance && !std::exchange(plan_->told_exhausted, true)) {
    emit("balance_exhausted", "available " + micro(row_.available()), now);
  }
  if (how == outcome::cap_reached && !std::exchange(plan_->told_cap, true)) {
    emit("spend_cap_reached",
         "cap_cents " + std::to_string(*plan_->options.spend_cap_cents) + " spent_cents " +
             std::to_string(spent_cents()) + " overdrawn " + micro(overdrawn()),
         now);
  }
}

void account_ledger::emit_top_up(std::string type, const top_up_record& record, time_point now) {
  emit(std::move(type),
       "cents " + std::to_string(record.cents) + " credits " + micro(record.amount) + " status " +
           std::string{to_string(record.status)} + " top_up " + record.id,
       now);
}

}  // namespace tollgate::quota
