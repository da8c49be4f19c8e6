// Alerts, and the events that report changes of an account.
#include <algorithm>

#include "quota/ledger/account_ledger.hpp"
#include "quota/ledger/alert_levels.hpp"
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

credits given_in(const cycle_record& books) {
  return books.allocation + books.rolled_in + books.purchase + books.top_up + books.promotion +
         books.correction;
}

credits account_ledger::given_in_cycle() const {
  return given_in(records_.at(plan_->cycle));
}

credits account_ledger::used_in_cycle() const {
  return row_.settled - records_.at(plan_->cycle).settled;
}

std::int64_t spent_cents(const cycle_record& books, const top_up_state& top_up) {
  auto cents = top_up.spent_cents;
  for (const auto& line : books.billed) {
    cents += cents_for(line.amount, line.usd_micro_per_credit).value_or(max_cents);
  }
  return cents;
}

std::int64_t account_ledger::spent_cents() const {
  return quota::spent_cents(records_.at(plan_->cycle), top_up_);
}

std::optional<credits> overdrawn_at(std::int64_t percent, const account_plan& plan,
                                    const cycle_record& books, const top_up_state& top_up) {
  if (!plan.options.spend_cap_cents) return std::nullopt;
  const auto cap = *plan.options.spend_cap_cents, spent = spent_cents(books, top_up);
  if (cap == 0 && spent == 0) {  // 0 of a cap of 0 is not a share
    return allows_overage(plan) ? std::optional{credits::from_micro(1)} : std::nullopt;
  }
  const auto missing = cap * percent * (usd_micro_per_cent / 100) - spent * usd_micro_per_cent;
  if (missing <= 0) return credits{};
  if (!allows_overage(plan)) return std::nullopt;
  return credits_to_cover(missing, plan.terms.usd_micro_per_credit);
}

// Whether this share of the spend cap is used, by use and payments only: holds do not count.
bool account_ledger::spent_of_cap(std::int64_t percent) const {
  const auto needed = overdrawn_at(percent, *plan_, records_.at(plan_->cycle), top_up_);
  return needed && overdrawn() >= *needed;
}

std::optional<credits> level_of(const usage_alert& alert, credits given) {
  if (alert.kind == alert_kind::credits_used) return credits::from_micro(alert.level);
  if (given <= credits{} || given > max_posted) return std::nullopt;
  return share_of(given, alert.level);
}

std::optional<credits> account_ledger::level_of(const usage_alert& alert) const {
  return quota::level_of(alert, given_in_cycle());
}

bool account_ledger::reached(const usage_alert& alert) const {
  if (alert.kind == alert_kind::spend_cap_percent) return spent_of_cap(alert.level);
  const auto level = level_of(alert);
  return level && used_in_cycle() >= *level;
}

// What counts towards the cap, and the cost of overage: first billed lines, then the part that
// would be billed now. Unrounded, because the sum is rounded once, as in a statement.
std::string account_ledger::facts_of_cap() const {
  const auto& books = records_.at(plan_->cycle);
  auto overage = overdrawn();
  const auto line = [](credits amount, std::int64_t price) {
    return micro(amount) + "*" + std::to_string(price);
  };
  std::string cost;
  for (const auto& billed : books.billed) {
    overage += billed.amount;
    cost += line(billed.amount, billed.usd_micro_per_credit) + ",";
  }
  cost += line(billable_overage(*plan_, books, top_up_, overdrawn()),
               plan_->terms.usd_micro_per_credit);
  return "cap_cents " + std::to_string(*plan_->options.spend_cap_cents) + " top_up_cents " +
         std::to_string(top_up_.spent_cents) + " overage " + micro(overage) + " cost " + cost;
}

std::string account_ledger::facts_of(const usage_alert& alert, credits used) const {
  if (alert.kind == alert_kind::spend_cap_percent) {
    return "cap_percent " + std::to_string(alert.level) + " " + facts_of_cap();
  }
  const bool share = alert.kind == alert_kind::allocation_percent;
  return (share ? "percent " : "credits ") + std::to_string(alert.level) + " used " + micro(used) +
         " of " + micro(given_in_cycle());
}

// Called after every operation: emits each crossing once, in the order of the list.
void account_ledger::watch_alerts(time_point now) {
  if (!plan_) return;
  const auto& alerts = plan_->options.alerts;
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    if (alerts[i].scope) continue;
    const bool there = reached(alerts[i]);
    if (there && plan_->armed[i]) {
      emit("usage_threshold", facts_of(alerts[i], used_in_cycle()), now);
    }
    plan_->armed[i] = !there;
  }
  if (total(grants().active) == credits{}) tell_refused(outcome::insufficient_balance, now);
  if (spent_of_cap(100)) tell_refused(outcome::cap_reached, now);
}

// Counts a settled call of this cycle for its agent, conversation and key.
void account_ledger::count_for_alerts(const hold& hold, credits amount, time_point now) {
  if (!plan_ || cycle_of(hold) != plan_->cycle) return;
  const auto& alerts = plan_->options.alerts;
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    if (!alerts[i].scope) continue;
    const auto& who = member_of(hold.who, *alerts[i].scope);
    const bool meant = alerts[i].id == "*" || alerts[i].id == who;
    const auto likewise = [&](const auto& other) { return same_counter(other, alerts[i]); };
    const auto place = alerts.begin() + static_cast<std::ptrdiff_t>(i);
    if (!meant || std::any_of(alerts.begin(), place, likewise)) continue;
    count_for_alerts_like(alerts[i], plan_->alerts_since[i], who, amount, now);
  }
}

// Handles the alerts of one scope and id, of which `first` is the first. A percentage that new
// credits lift above the usage is armed again; the next settlement finds that out.
void account_ledger::count_for_alerts_like(const usage_alert& first, time_point since,
                                           const std::string& who, credits amount, time_point now) {
  const std::string scope{to_string(*first.scope)};
  auto& counter = alert_counters_[scope + '\t' + first.id + '\t' + who];
  if (counter.cycle != plan_->cycle || counter.since != since) {
    counter = {plan_->cycle, {}, since, {}};
  }
  std::vector<const usage_alert*> together;
  for (const auto& alert : plan_->options.alerts) {
    if (same_counter(alert, first)) together.push_back(&alert);
  }
  const auto is_reached = [&](const usage_alert& alert) {
    const auto level = level_of(alert);
    return level && counter.amount >= *level;
  };
  auto told = std::exchange(counter.told, {});
  for (const auto* alert : together) {
    auto& still = counter.told[static_cast<std::size_t>(alert->kind)];
    const bool was = alert->level <= told[static_cast<std::size_t>(alert->kind)];
    if (was && is_reached(*alert)) still = std::max(still, alert->level);
  }
  told = counter.told;
  counter.amount += amount;
  for (const auto* alert : together) {
    auto& highest = counter.told[static_cast<std::size_t>(alert->kind)];
    const bool was = alert->level <= told[static_cast<std::size_t>(alert->kind)];
    if (was || !is_reached(*alert)) continue;
    highest = std::max(highest, alert->level);
    emit("usage_threshold", facts_of(*alert, counter.amount) + " " + scope + " " + who, now);
  }
}

// Reports the end of the credits, or of the cap, when a call has been refused for it or when it is
// reached exactly, whichever comes first.
void account_ledger::tell_refused(outcome how, time_point now) {
  if (!plan_) return;
  if (how == outcome::insufficient_balance && !std::exchange(plan_->told_exhausted, true)) {
    emit("balance_exhausted", "available " + micro(row_.available()), now);
  }
  if (how == outcome::cap_reached && !std::exchange(plan_->told_cap, true)) {
    emit("spend_cap_reached", facts_of_cap(), now);
  }
}

// A call was refused for lack of money. It is reported only if the call would have been refused
// with nothing held, because holds give back what they do not use.
void account_ledger::tell_of_refusal(outcome how, credits needed, time_point now) {
  if (needed > row_.posted() + overage_room()) tell_refused(how, now);
}

void account_ledger::emit_top_up(std::string type, const top_up_record& record, time_point now) {
  emit(std::move(type),
       "cents " + std::to_string(record.cents) + " credits " + micro(record.amount) + " status " +
           std::string{to_string(record.status)} + " top_up " + record.id,
       now);
}

}  // namespace tollgate::quota
