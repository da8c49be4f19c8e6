// Top-ups: when to request one, and its outcome (quota/top_up.hpp).
#include <algorithm>

#include "quota/ledger/account_ledger.hpp"
#include "quota/money.hpp"

namespace tollgate::quota {

namespace {

bool in_flight(const top_up_record& record) {
  return record.status == top_up_status::requested || record.status == top_up_status::pending;
}

// Whether the cap covers what was spent and what would be billed for this balance.
bool covers(const account_plan& plan, std::int64_t spent_cents, credits balance) {
  if (!plan.options.spend_cap_cents) return true;
  const auto beyond = std::max(-balance - plan.owed, credits{});
  const auto for_overage = cents_for(beyond, plan.terms.usd_micro_per_credit).value_or(max_cents);
  return spent_cents + for_overage <= *plan.options.spend_cap_cents;
}

}  // namespace

std::vector<top_up_record> account_ledger::top_ups() const {
  return top_ups_;
}

std::vector<std::string> account_ledger::open_top_ups() const {
  std::vector<std::string> open;
  for (const auto& record : top_ups_) {
    const bool waits = record.automatic && record.status == top_up_status::timed_out;
    if (in_flight(record) || waits) open.push_back(record.id);
  }
  return open;
}

credits account_ledger::asked_for() const {
  credits sum;
  for (const auto& record : top_ups_) {
    const bool waits = record.automatic && record.status == top_up_status::timed_out;
    if (in_flight(record) || waits) sum += record.amount;
  }
  return sum;
}

// Sells nothing that could not be granted in full once it is paid.
bool account_ledger::can_sell(std::int64_t cents) const {
  const auto bought = credits_bought(cents, plan_->terms.usd_micro_per_credit);
  return bought.in_range() && has_room_for(bought);
}

top_up_record* account_ledger::find_top_up(std::string_view id) {
  const auto found = std::find_if(top_ups_.begin(), top_ups_.end(),
                                  [&](const auto& record) { return record.id == id; });
  return found == top_ups_.end() ? nullptr : &*found;
}

top_up_record* account_ledger::open_automatic() {
  const auto found = std::find_if(top_ups_.begin(), top_ups_.end(), [](const auto& record) {
    return record.automatic && (in_flight(record) || record.status == top_up_status::timed_out);
  });
  return found == top_ups_.end() ? nullptr : &*found;
}

// The cost of one purchase: the customer's amount, and at least the plan's minimum. If the customer
// wants a single large purchase, enough to lift the balance to the threshold, if that is more and
// the cap allows it. Empty if it cannot be counted or exceeds the spend cap.
std::optional<std::int64_t> account_ledger::purchase_cents() const {
  const auto price = plan_->terms.usd_micro_per_credit;
  const auto may_buy = [&](std::int64_t cents) {
    return cents > 0 && cents <= max_cents && can_sell(cents) && within_cap(cents);
  };
  const auto one = std::max(plan_->options.top_up_cents, plan_->terms.top_up_minimum_cents);
  if (plan_->options.top_up_fill) {
    const auto gap = cents_for(*plan_->options.top_up_threshold - row_.posted(), price);
    if (gap && *gap > one && may_buy(*gap)) return gap;
  }
  return may_buy(one) ? std::optional{one} : std::nullopt;
}

// Whether this much more may be spent in this cycle, in addition to what is spent, or held and
// would be billed.
bool account_ledger::within_cap(std::int64_t more_cents) const {
  return covers(*plan_, spent_cents() + more_cents, row_.available());
}

// Without a confirmation for a week, it no longer blocks the next request, which asks for the same
// payment again.
void account_ledger::give_up_pending(time_point now) {
  auto* open = open_automatic();
  if (open == nullptr || open->status != top_up_status::pending) return;
  if (now - open->next_at < top_up_pending_at_most) return;
  open->status = top_up_status::timed_out;
  emit_top_up("top_up_failed", *open, now);
}

// The time at which a purchase has to be considered without another operation: a low balance causes
// a purchase even without calls.
std::optional<time_point> account_ledger::next_purchase() const {
  if (!plan_) return std::nullopt;
  for (const auto& record : top_ups_) {
    if (!record.automatic) continue;
    if (record.status == top_up_status::pending) return record.next_at + top_up_pending_at_most;
    if (record.status == top_up_status::requested) return std::nullopt;
  }
  const bool wanted = plan_->options.top_up_threshold && plan_->terms.usd_micro_per_credit > 0 &&
                      row_.posted() < *plan_->options.top_up_threshold && !row_.suspended;
  return wanted ? std::optional{top_up_.not_before} : std::nullopt;
}

// Requests one top-up if settled use leaves fewer credits than the threshold, unless one is pending
// or was just made. Holds do not count: their actual use is not known yet.
void account_ledger::watch_threshold(time_point now) {
  if (!plan_ || !plan_->options.top_up_threshold || plan_->terms.usd_micro_per_credit == 0) return;
  if (row_.suspended) return;
  if (row_.posted() >= *plan_->options.top_up_threshold || now < top_up_.not_before) return;
  if (auto* open = open_automatic()) {
    if (open->status != top_up_status::timed_out) return;
    const bool counted = open->cycle == plan_->cycle;
    if (!within_cap(counted ? 0 : open->cents)) {
      top_up_.not_before = now + top_up_cooldown;
      return;
    }
    if (!counted) top_up_.spent_cents += open->cents;
    open->cycle = plan_->cycle;
    ask_again(*open, now);
    return;
  }
  const auto cents = purchase_cents();
  if (!cents) {
    top_up_.not_before = now + top_up_cooldown;
    return;
  }
  ++top_up_.count;
  top_up_.spent_cents += *cents;
  auto id =
      "tu_" + std::to_string(now.time_since_epoch().count()) + "_" + std::to_string(top_up_.count);
  request(std::move(id), true, *cents, now);
}

void account_ledger::request(std::string id, bool automatic, std::int64_t cents, time_point now) {
  auto& record = top_ups_.emplace_back();
  record.id = std::move(id);
  record.automatic = automatic;
  record.cents = cents;
  record.amount = credits_bought(cents, plan_->terms.usd_micro_per_credit);
  record.cycle = plan_->cycle;
  ask_again(record, now);
}

void account_ledger::ask_again(top_up_record& record, time_point now) {
  record.status = top_up_status::requested;
  record.requested_at = record.next_at = now;
  record.attempts = 0;
  top_up_due_ = true;
  emit_top_up("top_up_requested", record, now);
}

answer account_ledger::on(const request_top_up& what, time_point now) {
  if (auto* known = find_top_up(what.id)) {
    if (known->cents != what.cents) {
      return say(outcome::exists_with_different_amount, known->amount);
    }
    if (known->status == top_up_status::timed_out) ask_again(*known, now);
    return say(outcome::exists, known->amount);
  }
  const auto price = plan_ ? plan_->terms.usd_micro_per_credit : 0;
  const bool fair = price > 0 && what.cents >= 1 && what.cents <= max_cents &&
                    what.cents >= plan_->terms.top_up_minimum_cents &&
                    credits_bought(what.cents, price).in_range();
  if (!fair) return say(outcome::out_of_range, credits{});
  if (!can_sell(what.cents)) return say(outcome::balance_full, credits{});
  request(what.id, false, what.cents, now);
  return say(outcome::recorded, top_ups_.back().amount);
}

answer account_ledger::on(const lease_top_up& what, time_point now) {
  if (what.lease < milliseconds{1} || what.lease > max_hold_timeout) {
    return say(outcome::out_of_range, credits{});
  }
  auto* record = find_top_up(what.id);
  if (record == nullptr) return say(outcome::not_found, credits{});
  if (record->status == top_up_status::paid) return say(outcome::already_paid, record->amount);
  if (record->status == top_up_status::declined) {
    return say(outcome::already_declined, record->amount);
  }
  if (record->status != top_up_status::requested || record->next_at > now) {
    return say(outcome::in_progress, record->amount);
  }
  // The payment was not requested yet, and the customer no longer wants it. Holds pass: if only
  // they exceed the cap, that is no reason to pause requests for a quarter of an hour.
  const bool wanted = !record->automatic || was_asked_for(*record) ||
                      (plan_->options.top_up_threshold && !row_.suspended &&
                       covers(*plan_, spent_cents(), row_.posted()));
  if (!wanted) {
    decline(*record, now);
    return say(outcome::already_declined, record->amount);
  }
  record->next_at = now + what.lease;
  ++record->attempts;
  return say(outcome::recorded, record->amount);
}

answer account_ledger::on(const resolve_top_up& what, time_point now) {
  auto* record = find_top_up(what.id);
  if (record == nullptr) return say(outcome::not_found, credits{});
  if (record->status == top_up_status::paid) return say(outcome::already_paid, record->amount);
  if (what.verdict == top_up_verdict::paid) return pay(*record, now);
  if (record->status == top_up_status::declined) {
    return say(outcome::already_declined, record->amount);
  }
  if (what.verdict == top_up_verdict::declined) return decline(*record, now);
  if (what.verdict != top_up_verdict::pending) {
    const bool spent =
        what.verdict == top_up_verdict::spent && record->generation == what.generation;
    return put_off(*record, spent, now);
  }
  record->next_at = now;
  record->status = top_up_status::pending;
  return say(outcome::recorded, record->amount);
}

// A payment that does not fit is not recorded as paid: when it is reported again and fits, it is
// granted.
answer account_ledger::pay(top_up_record& record, time_point now) {
  if (row_.posted() + record.amount > max_posted) return say(outcome::balance_full, record.amount);
  if (record.automatic) {
    const bool counted = record.status != top_up_status::declined && record.cycle == plan_->cycle;
    if (!counted) top_up_.spent_cents += record.cents;
    record.cycle = plan_->cycle;
    top_up_.failures = 0;
    top_up_.not_before = now + top_up_cooldown;
  }
  record.status = top_up_status::paid;
  record.resolved_at = now;
  const auto amount = record.amount;
  add_grant("top-up:" + record.id, "top_up", amount, default_priority("top_up"), never, "", now);
  if (const auto back = taken_back(record); back > credits{}) take_back(record, "early", back, now);
  emit_top_up("top_up_completed", record, now);
  return say(outcome::granted, amount);
}

// Cumulative sums, so that neither the order of reports nor repetitions matter.
answer account_ledger::on(const take_back_top_up& what, time_point now) {
  auto* record = find_top_up(what.id);
  if (record == nullptr) return say(outcome::not_found, credits{});
  if (what.cents < 1 || what.cents > max_cents) return say(outcome::out_of_range, credits{});
  auto after = *record;
  const bool refund = what.reason == take_back_reason::refund;
  auto& told = refund ? after.refunded_cents : after.disputed_cents;
  if (what.cents <= told) return say(outcome::exists, taken_back(*record));
  told = what.cents;
  const auto amount = taken_back(after) - taken_back(*record);
  const bool paid = record->status == top_up_status::paid;
  constexpr auto least = credits::from_micro(-credits::max_micro);
  if (paid && row_.available() - amount < least) return say(outcome::out_of_range, amount);
  *record = after;
  if (paid && amount > credits{}) {
    take_back(*record, (refund ? "refund" : "dispute") + (":" + std::to_string(what.cents)), amount,
              now);
  }
  return say(outcome::recorded, amount);
}

// A customer who got money back does not want to be charged again at once.
void account_ledger::take_back(const top_up_record& record, std::string reason, credits amount,
                               time_point now) {
  ++top_up_.failures;
  top_up_.not_before = std::max(top_up_.not_before, now + decline_back_off(top_up_.failures));
  add_grant("top-up:" + record.id + ":" + reason, "correction", -amount,
            default_priority("correction"), never, "", now);
}

answer account_ledger::decline(top_up_record& record, time_point now) {
  record.status = top_up_status::declined;
  record.resolved_at = now;
  if (record.automatic) {
    if (record.cycle == plan_->cycle) top_up_.spent_cents -= record.cents;
    ++top_up_.failures;
    top_up_.not_before = now + decline_back_off(top_up_.failures);
  }
  emit_top_up("top_up_failed", record, now);
  return say(outcome::recorded, record.amount);
}

answer account_ledger::put_off(top_up_record& record, bool key_is_spent, time_point now) {
  if (record.status != top_up_status::requested) return say(outcome::recorded, record.amount);
  if (key_is_spent) {
    record.next_at = now + next_key_back_off(record.attempts, ++record.generation);
    record.attempts = 0;
    record.requested_at =
        std::min(record.requested_at, now);  // so was_asked_for() does not depend on the clock
  } else {
    record.next_at = now + delivery_back_off(record.attempts, record.generation);
  }
  if (now - record.requested_at >= top_up_gives_up_after) {
    record.status = top_up_status::timed_out;
    if (record.automatic) top_up_.not_before = now + top_up_pause_after_time_out;
    emit_top_up("top_up_failed", record, now);
  }
  return say(outcome::recorded, record.amount);
}

}  // namespace tollgate::quota
