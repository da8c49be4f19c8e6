// Expiring grants, closing cycles, billed overage, and holds that outlive any of them.
#include <algorithm>

#include "quota/cycle.hpp"
#include "quota/ledger/account_ledger.hpp"
#include "quota/money.hpp"

namespace tollgate::quota {

namespace {

credits* line_of(cycle_record& books, std::string_view kind) {
  if (kind == "allocation") return &books.allocation;
  if (kind == "purchase") return &books.purchase;
  if (kind == "top_up") return &books.top_up;
  if (kind == "promotion") return &books.promotion;
  return &books.correction;
}

}  // namespace

credits overage_room(const account_plan& plan, const cycle_record& cycle,
                     const top_up_state& top_up) {
  if (!allows_overage(plan)) return {};
  if (!plan.options.spend_cap_cents) return credits::from_micro(2 * credits::max_micro);
  auto left = *plan.options.spend_cap_cents - top_up.spent_cents;
  for (const auto& line : cycle.billed) {
    left -= cents_for(line.amount, line.usd_micro_per_credit).value_or(max_cents);
  }
  if (left <= 0) return {};
  return credits_covered(left * usd_micro_per_cent, plan.terms.usd_micro_per_credit);
}

credits billable_overage(const account_plan& plan, const cycle_record& cycle,
                         const top_up_state& top_up, credits overdrawn) {
  return std::min(std::max(overdrawn - plan.owed, credits{}), overage_room(plan, cycle, top_up));
}

// --- grants ---

account_grants account_ledger::grants() const {
  auto copy = grants_;
  burn(copy.active, row_.settled - copy.mark);
  copy.mark = row_.settled;
  return copy;
}

credits account_ledger::overdrawn() const {
  const auto left = total(grants_.active) - (row_.settled - grants_.mark);
  return std::max(left, credits{}) + grants_.kept_total() - row_.posted();
}

void account_ledger::bring_up_to_date() {
  burn(grants_.active, row_.settled - grants_.mark);
  grants_.mark = row_.settled;
}

// Adds credits, which first pay off what is overdrawn. A negative amount is taken from the grants.
void account_ledger::add_grant(std::string id, std::string kind, credits amount, int priority,
                               time_point expires_at, std::string note, time_point now) {
  bring_up_to_date();
  const auto owed = overdrawn();
  row_.granted += amount;
  auto& entry = append(entry_type::grant, id, amount, now);
  entry.kind = kind;
  entry.note = std::move(note);
  *line_of(record(entry.cycle), kind) += amount;
  if (amount < credits{}) {
    entry.overage = burn(grants_.active, -amount);
    if (plan_) plan_->owed += entry.overage;
    return;
  }
  const auto paid_off = std::min(owed, amount);
  entry.overage = -paid_off;
  if (amount > paid_off) {
    if (plan_) plan_->told_exhausted = false;
    insert(grants_.active,
           {std::move(id), std::move(kind), priority, expires_at, now, amount, amount - paid_off});
  }
  owe_no_more_than_there_is();
}

void account_ledger::owe_no_more_than_there_is() {
  if (plan_) plan_->owed = std::min(plan_->owed, overdrawn());
}

// Applies everything that was due by now, in order.
void account_ledger::advance(time_point now) {
  give_up_pending(now);
  for (;;) {
    std::optional<time_point> next;
    for (const auto& grant : grants_.active) {
      const bool due = grant.expires_at != never && grant.expires_at <= now;
      if (due && (!next || grant.expires_at < *next)) next = grant.expires_at;
    }
    if (plan_ && plan_->end <= now && (!next || plan_->end <= *next)) {
      close_cycle(now);
    } else if (next) {
      expire_grants(*next, now);
    } else {
      return;
    }
  }
}

// Open holds claim the first credits in burn-down order; the claimed part of expiring grants is
// kept for those holds.
void account_ledger::expire_grants(time_point at, time_point now) {
  // Everything open now was placed before that, whatever the clock said at the time.
  for (auto& [id, hold] : holds_) hold.placed_at = std::min(hold.placed_at, at - milliseconds{1});
  bring_up_to_date();
  const auto cycle = plan_ ? plan_->cycle : 0;
  kept_batch batch{at, row_.held, cycle, {}};
  grant_list staying, leaving;
  auto ahead = grants_.kept_total();
  for (auto& grant : grants_.active) {
    if (grant.expires_at == never || grant.expires_at > at) {
      ahead += grant.remaining;
      staying.push_back(std::move(grant));
      continue;
    }
    const auto claimed = std::clamp(row_.held - ahead, credits{}, grant.remaining);
    ahead += claimed;
    if (claimed > credits{}) {
      batch.grants.push_back(grant);
      batch.grants.back().remaining = claimed;
    }
    grant.remaining -= claimed;
    leaving.push_back(std::move(grant));
  }
  grants_.active = std::move(staying);
  if (!batch.grants.empty()) grants_.kept.push_back(std::move(batch));
  credits owed;  // zero: there was something left
  for (const auto& grant : leaving) run_out(grant, grant.remaining, cycle, at, owed, now);
}

// Credits that can no longer be used. The part of an allocation that rolls over becomes a grant of
// the next cycle, after it has paid off what is owed; the rest is forfeited.
void account_ledger::run_out(active_grant grant, credits lost, std::int64_t cycle, time_point as_of,
                             credits& owed, time_point now) {
  auto& books = record(cycle);
  const bool rolls = grant.kind == "allocation" && books.rollover_ends > as_of;
  const auto rolled = rolls ? std::min(lost, books.rollover_room) : credits{};
  if (rolled > credits{}) {
    books.rollover_room -= rolled;
    books.rolled_out += rolled;
    record(books.closed ? plan_->cycle : cycle + 1).rolled_in += rolled;
    const auto id = "rollover:" + std::to_string(cycle);
    const auto known =
        std::find_if(grants_.active.begin(), grants_.active.end(),
                     [&](const auto& each) { return each.kind == "rollover" && each.id == id; });
    if (known != grants_.active.end()) {
      known->amount += rolled;
      known->remaining += rolled;
    } else {
      insert(grants_.active, {id, "rollover", default_priority("rollover"), books.rollover_ends,
                              now, rolled, rolled});
    }
    const auto paid_off = std::min(owed, rolled);
    burn(grants_.active, paid_off);
    owed -= paid_off;
    if (plan_) plan_->owed = std::min(plan_->owed, owed);
    auto& entry = append(entry_type::roll_over, grant.id, rolled, now);
    entry.cycle = cycle;
    entry.kind = "rollover";
    entry.note = id;
    entry.overage = -paid_off;
  }
  if (const auto rest = lost - rolled; rest > credits{}) {
    row_.expired += rest;
    books.forfeited += rest;
    auto& entry = append(entry_type::forfeit, grant.id, rest, now);
    entry.cycle = cycle;
    entry.kind = grant.kind;
  }
}

// --- cycles ---

// The maximum that may roll over, so that the next allocation still fits. With accepted terms
// (terms_fit), only billions of bought credits can reach it.
credits account_ledger::room_to_roll(time_point at) const {
  const auto& next = plan_->next_terms ? *plan_->next_terms : plan_->terms;
  auto staying = grants_.kept_total();
  credits leaving;
  for (const auto& grant : grants().active) {
    const bool stays = grant.expires_at == never || grant.expires_at > at;
    (stays ? staying : leaving) += grant.remaining;
  }
  staying += std::min(leaving, row_.held);  // the part of it that open holds may claim
  return std::max(max_posted - next.allocation - staying, credits{});
}

void account_ledger::close_cycle(time_point now) {
  const auto at = plan_->end;
  auto& books = record(plan_->cycle);
  const auto allocated = std::min(plan_->peak, books.allocation);
  const auto may_roll = mul_div(allocated.micro(), plan_->terms.rollover_percent, 100);
  books.rollover_room = std::min(credits::from_micro(may_roll), room_to_roll(at));
  books.rollover_ends = never;
  if (plan_->terms.rollover_cycles > 0) books.rollover_ends = at;
  for (int i = 0; i < plan_->terms.rollover_cycles; ++i) {
    books.rollover_ends = quota::cycle_end(plan_->anchor_day, books.rollover_ends);
  }
  expire_grants(at, now);
  const auto room = quota::overage_room(*plan_, books, top_up_);
  const auto due = billable_overage(*plan_, books, top_up_, overdrawn());
  if (due > credits{}) bill(due, plan_->cycle, now);
  plan_->owed = overdrawn();
  books.overage_room = room - due;
  books.plan = plan_->terms.plan;
  books.usd_micro_per_credit = plan_->terms.usd_micro_per_credit;
  books.settled = row_.settled - books.settled;
  books.closed = true;
  emit("cycle_closed",
       "cycle " + std::to_string(plan_->cycle) + " start " +
           std::to_string(books.start.time_since_epoch().count()) + " end " +
           std::to_string(books.end.time_since_epoch().count()),
       now);

  ++plan_->cycle;
  plan_->told_cap = false;
  plan_->start = at;
  plan_->end = plan_->usual_end = quota::cycle_end(plan_->anchor_day, at);
  if (plan_->next_terms) {
    plan_->terms = *plan_->next_terms;
    plan_->next_terms.reset();
    bucket_ = {};
  }
  plan_->peak = plan_->terms.allocation;
  auto& next = record(plan_->cycle);
  next.start = plan_->start;
  next.end = plan_->end;
  next.settled = row_.settled;
  top_up_.spent_cents = 0;
  for (auto& top_up : top_ups_) {
    const bool in_flight =
        top_up.status == top_up_status::requested || top_up.status == top_up_status::pending;
    if (!in_flight || !top_up.automatic) continue;
    top_up.cycle = plan_->cycle;
    top_up_.spent_cents += top_up.cents;
  }
  if (plan_->terms.allocation > credits{}) {
    add_grant("allocation:" + std::to_string(plan_->cycle), "allocation", plan_->terms.allocation,
              default_priority("allocation"), plan_->end, "", now);
  }
}

// Overage that will be paid in money is no longer owed in credits.
void account_ledger::bill(credits amount, std::int64_t cycle, time_point now) {
  auto& books = record(cycle);
  const auto price = books.closed ? books.usd_micro_per_credit : plan_->terms.usd_micro_per_credit;
  row_.granted += amount;
  const bool same_line = !books.billed.empty() &&
                         books.billed.back().usd_micro_per_credit == price &&
                         (books.billed.back().amount + amount).in_range();
  if (!same_line) books.billed.push_back({{}, price});
  books.billed.back().amount += amount;
  auto& entry = append(entry_type::bill, "overage:" + std::to_string(cycle), amount, now);
  entry.cycle = cycle;
  entry.kind = "overage";
  entry.note = std::to_string(price);
  entry.overage = -amount;
  emit("overage_billed",
       "cycle " + std::to_string(cycle) + " credits " + std::to_string(amount.micro()) + " price " +
           std::to_string(price),
       now);
}

std::vector<cycle_record> account_ledger::cycles() const {
  std::vector<cycle_record> all;
  for (const auto& [index, books] : records_) {
    all.push_back(books);
    all.back().index = index;
  }
  return all;
}

// --- holds that outlive their credits, or their cycle ---

time_point account_ledger::old_before() const {
  time_point latest{};
  if (plan_ && plan_->cycle > 0) latest = plan_->start;
  for (const auto& batch : grants_.kept) latest = std::max(latest, batch.until);
  return latest;
}

bool account_ledger::is_old(const hold& hold) const {
  return hold.placed_at < old_before();
}

std::int64_t account_ledger::cycle_of(const hold& hold) const {
  if (!plan_) return 0;
  auto cycle = plan_->cycle;
  while (cycle > 0 && records_.at(cycle).start > hold.placed_at) --cycle;
  return cycle;
}

// Uses what was kept for the hold; then, for a hold of a past cycle, what that cycle could have
// used; then that cycle's overage. Only the rest is taken from current credits.
account_ledger::late_use account_ledger::use_late(const hold& hold, credits used) {
  bring_up_to_date();
  late_use late;
  auto rest = used;
  for (auto& batch : grants_.kept) {
    if (hold.placed_at < batch.until) rest = burn(batch.grants, rest);
  }
  if (const auto cycle = cycle_of(hold); plan_ && cycle < plan_->cycle) {
    auto& books = record(cycle);
    rest = burn(grants_.active, rest, books.end);
    late.to_bill = std::min(rest, books.overage_room);
    books.overage_room -= late.to_bill;
    rest -= late.to_bill;
    books.settled += used;
    record(plan_->cycle).settled += used;
  }
  late.beyond = std::max(rest - total(grants_.active), credits{});
  grants_.mark += used - rest;
  return late;
}

void account_ledger::release_claims(const hold& hold, credits amount) {
  for (auto& batch : grants_.kept) {
    if (hold.placed_at < batch.until) batch.claims -= amount;
  }
}

// Forfeits kept credits that no hold claims any more, from the end of the burn-down order. A hold
// that claims a batch also claims all later ones.
void account_ledger::forfeit_unclaimed(time_point now) {
  if (grants_.kept.empty()) return;
  bring_up_to_date();
  auto owed = overdrawn();
  credits before;
  for (auto& batch : grants_.kept) {
    // A hold that was placed while the clock was ahead is among the claims, but its end is not
    // subtracted.
    batch.claims = std::min(batch.claims, row_.held);
    auto excess = before + total(batch.grants) - batch.claims;
    while (excess > credits{} && !batch.grants.empty()) {
      auto lost = batch.grants.back();
      const auto part = std::min(excess, lost.remaining);
      batch.grants.back().remaining -= part;
      if (part == lost.remaining) batch.grants.pop_back();
      excess -= part;
      run_out(std::move(lost), part, batch.cycle, now, owed, now);
    }
    before += total(batch.grants);
  }
  std::erase_if(grants_.kept, [](const auto& batch) { return batch.grants.empty(); });
}

}  // namespace tollgate::quota
