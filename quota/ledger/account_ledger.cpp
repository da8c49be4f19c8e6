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

bool is_forgotten(const hold_id& id, time_point now) {
  return id.hour() < hour_of(now) - resolution_memory_hours;
}

bool covers(credits available, credits amount) {
  return amount <= credits{} || available >= amount;
}

// Why an enforced reservation would be refused, if it would be.
std::optional<outcome> objection(const account_row& row, credits amount) {
  if (row.suspended) return outcome::suspended;
  if (!covers(row.available(), amount)) return outcome::insufficient_balance;
  return std::nullopt;
}

bool overrides(admission admit, outcome objection) {
  if (admit == admission::critical) return objection == outcome::insufficient_balance;
  return admit == admission::shadow || admit == admission::owed;
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
  }
  return "unknown";
}

answer account_ledger::apply(const operation& operation, time_point now) {
  swept_ = {};
  sweep(now);
  return std::visit([&](const auto& what) { return on(what, now); }, operation);
}

std::optional<time_point> account_ledger::next_expiry() const {
  std::optional<time_point> earliest;
  for (const auto& [id, hold] : holds_) {
    if (!earliest || hold.expires_at < *earliest) earliest = hold.expires_at;
  }
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
  if (const auto known = fate(what.id, now)) return say(known->how, known->amount);
  const auto refusal = objection(row_, what.amount);
  if (refusal && !overrides(what.admit, *refusal)) return say(*refusal, what.amount);
  if (!fits(what.amount)) return say(outcome::out_of_range, what.amount);

  row_.held += what.amount;
  const auto& made = holds_[what.id] = {what.amount, now + what.timeout, what.request_id, what.who};
  append_of_hold(entry_type::reserve, what.id, made, what.amount, now);
  return say(refusal ? outcome::held_beyond_balance : outcome::held, what.amount);
}

answer account_ledger::on(const extend& what, time_point now) {
  if (!is_amount(what.amount) || !is_timeout(what.timeout)) {
    return say(outcome::out_of_range, what.amount);
  }
  const auto open = holds_.find(what.id);
  if (open == holds_.end()) return gone(what.id, {outcome::not_found, {}}, outcome::not_found, now);
  auto& hold = open->second;
  const auto more = std::max(what.amount - hold.amount, credits{});
  if (what.admit == admission::enforce && !covers(row_.available(), more)) {
    return say(outcome::insufficient_balance, what.amount);
  }
  if (!fits(more)) return say(outcome::out_of_range, what.amount);

  hold.expires_at = now + what.timeout;
  if (more > credits{}) {
    row_.held += more;
    hold.amount += more;
    append_of_hold(entry_type::extend, what.id, hold, more, now);
  }
  return say(outcome::extended, hold.amount);
}

answer account_ledger::on(const settle& what, time_point now) {
  if (!is_amount(what.amount) || what.used < 0 || what.used > max_used) {
    return say(outcome::out_of_range, what.amount);
  }
  const auto open = holds_.find(what.id);
  if (open == holds_.end()) return gone(what.id, {outcome::not_found, {}}, outcome::not_found, now);
  const auto hold = open->second;
  if (!fits(what.amount - hold.amount)) return say(outcome::out_of_range, what.amount);

  const auto overage_before = row_.overage();
  row_.held -= hold.amount;
  row_.settled += what.amount;
  resolve(what.id, outcome::already_settled, what.amount);
  append_of_hold(entry_type::settle, what.id, hold, what.amount, now);
  auto& entry = entries_.back();
  entry.released = hold.amount - what.amount;
  entry.overage = row_.overage() - overage_before;
  entry.used = what.used;
  return say(outcome::settled, what.amount);
}

answer account_ledger::on(const void_hold& what, time_point now) {
  const auto open = holds_.find(what.id);
  if (open == holds_.end()) {
    return gone(what.id, {outcome::already_voided, {}}, outcome::voided, now);
  }
  const auto hold = open->second;
  row_.held -= hold.amount;
  resolve(what.id, outcome::already_voided, hold.amount);
  append_of_hold(entry_type::void_hold, what.id, hold, hold.amount, now);
  return say(outcome::voided, hold.amount);
}

answer account_ledger::on(const expire_holds&, time_point) {
  return say(outcome::swept, swept_);
}

answer account_ledger::on(const grant& what, time_point now) {
  const bool signed_right = what.amount >= credits{} || what.kind == "correction";
  if (!what.amount.in_range() || !signed_right) return say(outcome::out_of_range, what.amount);
  if (const auto found = grants_.find(what.id); found != grants_.end()) {
    const bool same = found->second == what.amount;
    return say(same ? outcome::exists : outcome::exists_with_different_amount, found->second);
  }
  if (!(row_.granted + what.amount).in_range() || !(row_.available() + what.amount).in_range()) {
    return say(outcome::out_of_range, what.amount);
  }
  row_.granted += what.amount;
  grants_[what.id] = what.amount;
  auto& entry = append(entry_type::grant, what.id, what.amount, now);
  entry.kind = what.kind;
  entry.note = what.note;
  return say(outcome::granted, what.amount);
}

void account_ledger::sweep(time_point now) {
  for (auto open = holds_.begin(); open != holds_.end();) {
    const auto& [id, hold] = *open++;
    if (hold.expires_at > now) continue;
    const auto copy = hold;
    const auto expired_id = id;
    row_.held -= copy.amount;
    swept_ += copy.amount;
    resolve(expired_id, outcome::expired, copy.amount);
    append_of_hold(entry_type::expire, expired_id, copy, copy.amount, now);
  }
}

void account_ledger::resolve(const hold_id& id, outcome how, credits amount) {
  holds_.erase(id);
  resolved_[id] = {how, amount};
}

std::optional<account_ledger::resolution> account_ledger::fate(const hold_id& id,
                                                               time_point now) const {
  if (const auto known = resolved_.find(id); known != resolved_.end()) return known->second;
  if (is_forgotten(id, now)) return resolution{outcome::forgotten, credits{}};
  return std::nullopt;
}

answer account_ledger::gone(const hold_id& id, resolution from_now_on, outcome this_time,
                            time_point now) {
  if (const auto known = fate(id, now)) return say(known->how, known->amount);
  resolved_[id] = from_now_on;
  return say(this_time, credits{});
}

answer account_ledger::say(outcome result, credits amount) const {
  return {result, amount, row_.available()};
}

// Whether `more` can be held or settled: settled + held, and what is available, stay in range. This
// is what lets Redis, which counts in doubles, add exactly.
bool account_ledger::fits(credits more) const {
  return (row_.settled + row_.held + more).in_range() && (row_.available() - more).in_range();
}

ledger_entry& account_ledger::append(entry_type type, std::string_view subject, credits amount,
                                     time_point now) {
  auto& entry = entries_.emplace_back();
  entry.id = std::to_string(entries_.size()) + "-0";
  entry.at = now;
  entry.type = type;
  entry.subject = subject;
  entry.amount = amount;
  entry.available = row_.available();
  return entry;
}

void account_ledger::append_of_hold(entry_type type, const hold_id& id, const hold& hold,
                                    credits amount, time_point now) {
  auto& entry = append(type, id.text(), amount, now);
  entry.request_id = hold.request_id;
  entry.who = hold.who;
}

}  // namespace tollgate::quota
