#include "quota/ledger/account_ledger.hpp"

#include <algorithm>

namespace tollgate::quota {

namespace {

bool is_amount(credits amount) {
  return amount >= credits{} && amount.in_range();
}

bool is_timeout(milliseconds timeout) {
  return timeout >= milliseconds{1} && timeout <= max_hold_timeout;
}

// Whether this objection refuses a call with this admission.
bool refuses(admission admit, const auto& objection) {
  return admit == admission::enforce || (admit == admission::critical && objection.final);
}

bool is_use(const use& what) {
  const auto is_counted = [](std::int64_t used) { return used >= 0 && used <= max_used; };
  return is_amount(what.amount) && is_counted(what.used) && is_counted(what.billed_us);
}

bool is_forgotten(const hold_id& id, time_point now) {
  return id.hour() < hour_of(now) - resolution_memory_hours;
}

}  // namespace

std::string_view to_string(entry_type type) {
  switch (type) {
    case entry_type::reserve:
      return "reserve";
    case entry_type::extend:
      return "extend";
    case entry_type::settle:
      return "settle";
    case entry_type::void_hold:
      return "void";
    case entry_type::expire:
      return "expire";
    case entry_type::grant:
      return "grant";
    case entry_type::forfeit:
      return "forfeit";
    case entry_type::roll_over:
      return "roll_over";
    case entry_type::bill:
      return "bill";
  }
  return "unknown";
}

answer account_ledger::apply(const operation& operation, time_point now) {
  now = std::max(now, old_before());
  swept_ = {};
  sweep(now);
  advance(now);
  settle_answered(now);
  const auto answer = std::visit([&](const auto& what) { return on(what, now); }, operation);
  // The next operation evaluates the consequences of a change. Until then others may be made at the
  // same instant, and their order makes no difference.
  if (std::holds_alternative<configure>(operation)) return answer;
  watch_threshold(now);
  watch_alerts(now);
  return answer;
}

void account_ledger::set_suspended(bool suspended, time_point now) {
  if (row_.suspended == suspended) return;
  row_.suspended = suspended;
  emit(suspended ? "suspended" : "resumed", "", time_of(now));
}

std::optional<time_point> account_ledger::next_due() const {
  std::optional<time_point> earliest;
  const auto consider = [&](time_point at) {
    if (!earliest || at < *earliest) earliest = at;
  };
  for (const auto& [id, hold] : holds_) consider(hold.expires_at);
  for (const auto& grant : grants_.active) {
    if (grant.expires_at != never) consider(grant.expires_at);
  }
  if (plan_) consider(plan_->end);
  if (const auto at = next_purchase()) consider(*at);
  return earliest;
}

answer account_ledger::on(const reserve& what, time_point now) {
  if (!is_amount(what.amount) || !is_timeout(what.timeout)) {
    return say(outcome::out_of_range, what.amount);
  }
  if (const auto open = holds_.find(what.id); open != holds_.end()) {
    const bool same = open->second.amount == what.amount;
    return say(same ? outcome::exists : outcome::exists_with_different_amount, open->second.amount);
  }
  if (const auto known = fate(what.id, now)) {
    // A caller with this answer continues under another id, so this one must not be held if the
    // clock is set back.
    if (known->how == outcome::forgotten) resolved_[what.id] = *known;
    return say(*known);
  }

  std::optional<objection> in_the_way;
  auto reply = say(outcome::held, what.amount);
  if (row_.suspended) {
    in_the_way = objection{outcome::suspended, {}, true};
  } else {
    const bool bound = what.admit == admission::enforce || what.admit == admission::critical;
    if (bound && plan_ && plan_->terms.requests_per_minute > 0) {
      in_the_way = take_request(now);
      reply.rate = rate(now);
    }
    if (!in_the_way) in_the_way = objection_to(what.amount, what.who, what.admit, now);
    if (what.admit == admission::critical && in_the_way && !in_the_way->final &&
        money_objection(what.amount, {})) {
      rate_status status;
      if (auto too_many = take_critical_request(now, status)) {
        in_the_way = std::move(too_many);
        reply.rate = status;
      }
    }
  }
  if (in_the_way && refuses(what.admit, *in_the_way)) {
    reply.result = in_the_way->how;
    reply.why = in_the_way->why;
    tell_of_refusal(reply.result, what.amount, now);
    return reply;
  }
  if (!can_hold(what.amount)) {
    reply.result = outcome::out_of_range;
    return reply;
  }
  row_.held += what.amount;
  auto& made =
      holds_[what.id] = {what.amount, now + what.timeout, now, what.request_id, what.who, {}, {}};
  count_new(made, now);
  append_of_hold(entry_type::reserve, what.id, made, what.amount, now);
  reply.result = in_the_way ? outcome::held_beyond_balance : outcome::held;
  reply.available = row_.available();
  return reply;
}

answer account_ledger::on(const extend& what, time_point now) {
  if (!is_amount(what.amount) || !is_timeout(what.timeout) ||
      (what.answered && !is_use(*what.answered))) {
    return say(outcome::out_of_range, what.amount);
  }
  const auto open = holds_.find(what.id);
  if (open == holds_.end()) return gone(what.id, {outcome::not_found, {}}, outcome::not_found, now);
  auto& hold = open->second;
  const auto more = std::max(what.amount - hold.amount, credits{});
  const auto in_the_way = objection_to(more, hold.who, what.admit, now, &hold);
  if (in_the_way && refuses(what.admit, *in_the_way)) {
    auto reply = say(in_the_way->how, what.amount);
    reply.why = in_the_way->why;
    if (reply.why && reply.result != outcome::limit_reached) reply.why->held -= hold.amount;
    tell_of_refusal(reply.result, what.needed.value_or(what.amount), now);
    return reply;
  }
  if (!can_hold(more)) return say(outcome::out_of_range, what.amount);

  hold.expires_at = now + what.timeout;
  const bool later =
      !hold.answered || (what.answered && what.answered->amount >= hold.answered->amount);
  if (what.answered && later) hold.answered = what.answered;
  if (more > credits{}) {
    row_.held += more;
    hold.amount += more;
    for (auto& batch : grants_.kept) {
      if (hold.placed_at < batch.until) batch.claims += more;
    }
    count(hold, more);
    append_of_hold(entry_type::extend, what.id, hold, more, now);
  }
  return say(outcome::extended, hold.amount);
}

answer account_ledger::on(const release& what, time_point now) {
  if (!is_amount(what.amount)) return say(outcome::out_of_range, what.amount);
  const auto open = holds_.find(what.id);
  if (open == holds_.end()) return gone(what.id, {outcome::not_found, {}}, outcome::not_found, now);
  auto& hold = open->second;
  const auto less = std::max(hold.amount - what.amount, credits{});
  if (less == credits{}) return say(outcome::released, hold.amount);
  row_.held -= less;
  hold.amount -= less;
  count(hold, -less);
  append_of_hold(entry_type::extend, what.id, hold, -less, now);
  release_claims(hold, less);
  forfeit_unclaimed(now);
  return say(outcome::released, what.amount);
}

answer account_ledger::on(const settle& what, time_point now) {
  const use used{what.amount, what.used, what.billed_us};
  if (!is_use(used)) return say(outcome::out_of_range, what.amount);
  const auto open = holds_.find(what.id);
  if (open == holds_.end()) return gone(what.id, {outcome::not_found, {}}, outcome::not_found, now);
  const auto hold = open->second;
  if (!charge(what.id, hold, used, now)) return say(outcome::out_of_range, what.amount);
  resolve(what.id, {outcome::already_settled, what.amount});
  return say(outcome::settled, what.amount);
}

// False, without a change, if the balance would exceed its bounds.
bool account_ledger::charge(const hold_id& id, const hold& hold, const use& what, time_point now) {
  if (!can_settle(what.amount - hold.amount)) return false;
  const bool old = is_old(hold);
  late_use late;
  if (old) {
    late = use_late(hold, what.amount);
  } else {
    const auto covered = std::max(row_.posted() - grants_.kept_total(), credits{});
    late.beyond = std::max(what.amount - covered, credits{});
  }
  row_.held -= hold.amount;
  row_.settled += what.amount;
  count(hold, what.amount - hold.amount);
  append_of_hold(entry_type::settle, id, hold, what.amount, now);
  auto& entry = entries_.back();
  entry.released = hold.amount - what.amount;
  entry.overage = late.to_bill + late.beyond;
  entry.used = what.used;
  entry.billed_us = what.billed_us;
  if (late.to_bill > credits{}) bill(late.to_bill, entry.cycle, now);
  release_claims(hold, hold.amount);
  forfeit_unclaimed(now);
  count_for_alerts(hold, what.amount, now);
  return true;
}

answer account_ledger::on(const void_hold& what, time_point now) {
  const auto open = holds_.find(what.id);
  if (open == holds_.end()) {
    return gone(what.id, {outcome::already_voided, {}}, outcome::voided, now);
  }
  const auto hold = open->second;
  row_.held -= hold.amount;
  resolve(what.id, {outcome::already_voided, hold.amount});
  count(hold, -hold.amount);
  append_of_hold(entry_type::void_hold, what.id, hold, hold.amount, now);
  release_claims(hold, hold.amount);
  forfeit_unclaimed(now);
  return say(outcome::voided, hold.amount);
}

answer account_ledger::on(const expire_holds& what, time_point now) {
  if (what.at_most < milliseconds{} || what.at_most > max_hold_timeout) {
    return say(outcome::out_of_range, credits{});
  }
  for (auto& [id, hold] : holds_) {
    if (what.at_most > milliseconds{})
      hold.expires_at = std::min(hold.expires_at, now + what.at_most);
  }
  return say(outcome::swept, swept_);
}

answer account_ledger::on(const grant& what, time_point now) {
  const bool signed_right = what.amount >= credits{} || what.kind == "correction";
  const int priority = what.priority.value_or(default_priority(what.kind));
  if (!what.amount.in_range() || !signed_right || priority < 0 || priority > max_priority ||
      (what.expires_at != never && what.expires_at <= now)) {
    return say(outcome::out_of_range, what.amount);
  }
  if (const auto found = given_.find(what.id); found != given_.end()) {
    const bool same = found->second == what.amount;
    return say(same ? outcome::exists : outcome::exists_with_different_amount, found->second);
  }
  if (!has_room_for(what.amount)) return say(outcome::balance_full, what.amount);
  given_[what.id] = what.amount;
  add_grant(what.id, what.kind, what.amount, priority, what.expires_at, what.note, now);
  return say(outcome::granted, what.amount);
}

void account_ledger::sweep(time_point now) {
  for (auto open = holds_.begin(); open != holds_.end();) {
    const auto& [id, hold] = *open++;
    if (hold.expires_at > now || hold.answered) continue;
    const auto copy = hold;
    const auto expired_id = id;
    row_.held -= copy.amount;
    swept_ += copy.amount;
    resolve(expired_id, {outcome::expired, copy.amount});
    count(copy, -copy.amount);
    append_of_hold(entry_type::expire, expired_id, copy, copy.amount, now);
    release_claims(copy, copy.amount);
  }
  forfeit_unclaimed(now);
}

// Settles the holds whose timeout has passed after their answer had begun. It runs after everything
// that was due, as if a caller settled them now.
void account_ledger::settle_answered(time_point now) {
  for (auto open = holds_.begin(); open != holds_.end();) {
    const auto [id, hold] = *open++;
    if (hold.expires_at > now || !hold.answered) continue;
    auto what = *hold.answered;
    if (!charge(id, hold, what, now)) {
      what.amount = hold.amount;  // always fits
      charge(id, hold, what, now);
    }
    resolve(id, {outcome::settled_on_expiry, what.amount, what});
  }
}

void account_ledger::resolve(const hold_id& id, resolution how) {
  holds_.erase(id);
  resolved_[id] = std::move(how);
}

account_ledger account_ledger::without_history() {
  auto entries = std::exchange(entries_, {});
  auto events = std::exchange(events_, {});
  auto resolved = std::exchange(resolved_, {});
  auto copy = *this;
  entries_ = std::move(entries);
  events_ = std::move(events);
  resolved_ = std::move(resolved);
  return copy;
}

std::optional<account_ledger::resolution> account_ledger::fate(const hold_id& id,
                                                               time_point now) const {
  if (const auto known = resolved_.find(id); known != resolved_.end()) return known->second;
  if (is_forgotten(id, now)) return resolution{outcome::forgotten, credits{}};
  return std::nullopt;
}

answer account_ledger::gone(const hold_id& id, resolution from_now_on, outcome this_time,
                            time_point now) {
  if (const auto known = fate(id, now)) return say(*known);
  resolved_[id] = from_now_on;
  return say(this_time, credits{});
}

answer account_ledger::say(outcome result, credits amount) const {
  return {result, amount, row_.available()};
}

answer account_ledger::say(const resolution& known) const {
  auto reply = say(known.how, known.amount);
  reply.charged = known.charged;
  return reply;
}

// Lets Redis, which counts in doubles, add exactly. What was settled earlier is not part of the
// sum: an account may use any number of credits in its life.
bool account_ledger::can_hold(credits more) const {
  return (row_.held + more).in_range() && can_settle(more);
}

bool account_ledger::can_settle(credits beyond_the_hold) const {
  return row_.available() - beyond_the_hold >= credits::from_micro(-credits::max_micro);
}

// Whether these credits may be granted, in addition to those that were requested and may arrive at
// any moment.
bool account_ledger::has_room_for(credits more) const {
  if (more <= credits{}) return row_.available() + more >= credits::from_micro(-credits::max_micro);
  return (row_.posted() + asked_for() + more).micro() <= credits::max_micro &&
         (row_.granted + more).micro() < max_lifetime_micro;
}

ledger_entry& account_ledger::append(entry_type type, std::string_view subject, credits amount,
                                     time_point now) {
  auto& entry = entries_.emplace_back();
  entry.id = std::to_string(forgotten_ + entries_.size()) + "-0";
  entry.at = now;
  entry.type = type;
  entry.subject = subject;
  entry.amount = amount;
  entry.available = row_.available();
  entry.cycle = plan_ ? plan_->cycle : 0;
  return entry;
}

void account_ledger::append_of_hold(entry_type type, const hold_id& id, const hold& hold,
                                    credits amount, time_point now) {
  auto& entry = append(type, id.text(), amount, now);
  entry.cycle = cycle_of(hold);
  entry.request_id = hold.request_id;
  entry.who = hold.who;
}

}  // namespace tollgate::quota
