#include "quota/audit_gate.hpp"

#include <algorithm>

#include "quota/ledger/alert_levels.hpp"
#include "quota/money.hpp"
#include "quota/plan_text.hpp"

namespace tollgate::quota {

namespace {

constexpr std::int64_t level_of_a_request = 60'000;
constexpr std::int64_t ms_a_day = 86'400'000;
constexpr gate_numbers never_written{0, 0, 0, 0, -1, -1, -1, 0, 0, 0, -1, 3, 0};
constexpr std::array<const char*, never_written.size()> names{"cycle",
                                                              "start",
                                                              "holds that are old",
                                                              "kept",
                                                              "room",
                                                              "overdraft",
                                                              "threshold",
                                                              "due",
                                                              "credits come at",
                                                              "top-up open",
                                                              "next alert",
                                                              "what has been told",
                                                              "alerts of members"};

std::int64_t ms(time_point at) {
  return at.time_since_epoch().count();
}
std::int64_t& at(gate_numbers& gate, gate_field field) {
  return gate[static_cast<std::size_t>(field)];
}
std::int64_t at(const gate_numbers& gate, gate_field field) {
  return gate[static_cast<std::size_t>(field)];
}

// The earliest of several times; unset times are ignored.
class earliest {
 public:
  void consider(std::int64_t time) {
    if (time > 0 && (time_ == 0 || time < time_)) time_ = time;
  }
  std::int64_t get() const { return time_; }

 private:
  std::int64_t time_ = 0;
};

const top_up_record* open_automatic(const account_guards& guards) {
  const auto found = std::ranges::find_if(guards.open_top_ups, &top_up_record::automatic);
  return found == guards.open_top_ups.end() ? nullptr : &*found;
}

// Whether a top-up may be requested as soon as its pause is over.
bool buys_more(const account_plan& plan, const top_up_record* open) {
  const bool idle = open == nullptr || open->status == top_up_status::timed_out;
  return plan.options.top_up_threshold && plan.terms.usd_micro_per_credit > 0 && idle;
}

const cycle_record& books_of(const account_snapshot& snapshot, std::int64_t cycle) {
  static const cycle_record none;
  const auto found = std::ranges::find(snapshot.cycles, cycle, &cycle_record::index);
  return found == snapshot.cycles.end() ? none : *found;
}

// The account's lifetime settled total at which the organization's next alert is crossed.
std::optional<credits> next_alert(const account_snapshot& snapshot) {
  const auto& plan = *snapshot.plan;
  const auto& books = books_of(snapshot, plan.cycle);
  const auto settled = snapshot.row.settled, exhausted = settled + total(snapshot.grants.active);
  std::optional<credits> next;
  const auto consider = [&](credits at) {
    if (at > settled && (!next || at < *next)) next = at;
  };
  const auto consider_cap = [&](std::int64_t percent) {
    const auto needed = overdrawn_at(percent, plan, books, snapshot.top_up);
    if (needed)
      consider(exhausted + std::max(std::min(*needed, max_posted) - snapshot.overdrawn, credits{}));
  };
  for (std::size_t i = 0; i < plan.options.alerts.size(); ++i) {
    const auto& alert = plan.options.alerts[i];
    if (alert.scope || !plan.armed[i]) continue;
    if (alert.kind == alert_kind::spend_cap_percent) {
      consider_cap(alert.level);
    } else if (const auto level = level_of(alert, given_in(books))) {
      consider(books.settled + *level);
    }
  }
  if (!plan.told_exhausted) consider(exhausted);
  if (!plan.told_cap) consider_cap(100);
  return next;
}

// Lines "CREDITS SINCE KIND LEVEL SCOPE ID".
std::string member_alerts_of(const account_snapshot& snapshot) {
  const auto& plan = *snapshot.plan;
  const auto given = given_in(books_of(snapshot, plan.cycle));
  std::string lines;
  for (std::size_t i = 0; i < plan.options.alerts.size(); ++i) {
    const auto& alert = plan.options.alerts[i];
    if (!alert.scope) continue;
    if (!lines.empty()) lines += '\n';
    lines += std::to_string(level_of(alert, given).value_or(credits{}).micro()) + ' ' +
             std::to_string(ms(plan.alerts_since[i])) + ' ' + alerts_text({alert});
  }
  return lines;
}

class comparison {
 public:
  void same(std::string what, std::int64_t recorded, std::int64_t proven) {
    if (recorded != proven) tell(std::move(what), std::to_string(recorded), std::to_string(proven));
  }
  void between(const std::string& what, std::int64_t recorded, std::int64_t low,
               std::int64_t high) {
    same(what, recorded, std::clamp(recorded, low, high));
  }
  void tell(std::string what, std::string recorded, std::string proven) {
    found_.push_back({std::move(what), std::move(recorded), std::move(proven)});
  }
  std::vector<difference> found() && { return std::move(found_); }

 private:
  std::vector<difference> found_;
};

void compare_gate(const account_guards& guards, comparison& compare) {
  const auto recorded = guards.gate.value_or(never_written);
  const auto proven = gate_of(guards, recorded);
  for (std::size_t i = 0; i < names.size(); ++i) {
    // The script adds doubles. Beyond 2^53 that is close enough for a value that is only compared.
    const auto slack = proven[i] > (1LL << 53) ? 4 : 0;
    if (recorded[i] >= proven[i] - slack && recorded[i] <= proven[i] + slack) continue;
    compare.same(std::string{"gate: "} + names[i], recorded[i], proven[i]);
  }
}

void compare_rate(const account_guards& guards, comparison& compare) {
  const auto& plan = guards.snapshot.plan;
  const auto per_minute = plan ? plan->terms.requests_per_minute : 0;
  if (!guards.rate) return compare.same("request rate", 0, per_minute);
  const auto& [rate, burst, level, since] = *guards.rate;
  compare.same("request rate", rate, per_minute);
  if (per_minute > 0) compare.same("request rate: burst", burst, plan->terms.burst);
  compare.between("request rate: level", level, 0,
                  std::max<std::int64_t>(burst, 0) * level_of_a_request);
  if (since < 0) compare.same("request rate: time", since, 0);
}

// What late calls of a closed cycle may still bill or roll over. An open cycle has none of it.
void compare_rooms(const cycle_record& cycle, comparison& compare) {
  const auto name = "cycle " + std::to_string(cycle.index) + ": ";
  const auto ends = ms(cycle.rollover_ends);
  if (!cycle.closed) {
    compare.same(name + "room of overage", cycle.overage_room.micro(), 0);
    compare.same(name + "room to roll over", cycle.rollover_room.micro(), 0);
    compare.same(name + "end of what rolls over", ends, 0);
    return compare.same(name + "price", cycle.usd_micro_per_credit, 0);
  }
  const bool priced = cycle.usd_micro_per_credit > 0;
  compare.between(name + "room of overage", cycle.overage_room.micro(), 0,
                  priced ? 2 * credits::max_micro : 0);
  constexpr std::int64_t most_percent = 1'000;  // of the allocation
  const auto most = mul_div(std::max(cycle.allocation, credits{}).micro(), most_percent, 100);
  compare.between(name + "room to roll over", cycle.rollover_room.micro(), 0,
                  std::max<std::int64_t>(most - cycle.rolled_out.micro(), 0));
  if (ends != 0 && (ends % ms_a_day != 0 || cycle.rollover_ends <= cycle.end)) {
    compare.tell(name + "end of what rolls over", std::to_string(ends), "the end of a cycle");
  }
  compare.between(name + "price", cycle.usd_micro_per_credit, 0, max_usd_micro_per_credit);
}

// The numbers of the gate that depend on the plan; `due` collects the times it waits for.
void add_plan(const account_guards& guards, gate_numbers& gate, earliest& due) {
  const auto& plan = *guards.snapshot.plan;
  const auto& next = plan.next_terms ? *plan.next_terms : plan.terms;
  at(gate, gate_field::cycle) = plan.cycle;
  at(gate, gate_field::start) = ms(plan.start);
  if (plan.cycle > 0)
    at(gate, gate_field::old_before) = std::max(at(gate, gate_field::old_before), ms(plan.start));
  if (allows_overage(plan)) {
    const auto room =
        overage_room(plan, books_of(guards.snapshot, plan.cycle), guards.snapshot.top_up);
    at(gate, gate_field::room) = (room + plan.owed).micro();
  }
  if (plan.options.critical_overdraft)
    at(gate, gate_field::overdraft) = plan.options.critical_overdraft->micro();
  if (allows_overage(plan) || next.allocation > credits{})
    at(gate, gate_field::until) = ms(plan.end);
  const bool of_members = std::ranges::any_of(
      plan.options.alerts, [](const auto& each) { return each.scope.has_value(); });
  at(gate, gate_field::told) = (plan.told_exhausted ? 1 : 0) + (plan.told_cap ? 2 : 0);
  at(gate, gate_field::member_alerts) = of_members ? 1 : 0;
  const auto alert = next_alert(guards.snapshot);
  at(gate, gate_field::alert_at) = alert ? (*alert - guards.carried).micro() : -1;
  due.consider(ms(plan.end));
}

void add_top_ups(const account_guards& guards, const gate_numbers& recorded, gate_numbers& gate,
                 earliest& due) {
  const auto& plan = *guards.snapshot.plan;
  const auto* const open = open_automatic(guards);
  at(gate, gate_field::top_up_open) = guards.snapshot.open_top_ups.empty() ? 0 : 1;
  if (open != nullptr && open->status == top_up_status::pending)
    due.consider(ms(open->next_at + top_up_pending_at_most));
  if (!buys_more(plan, open)) return;
  const auto pause = ms(guards.snapshot.top_up.not_before);
  if (at(recorded, gate_field::threshold) < 0 && pause > 0) {
    due.consider(pause);
  } else {
    at(gate, gate_field::threshold) = plan.options.top_up_threshold->micro();
  }
}

}  // namespace

gate_numbers gate_of(const account_guards& guards, const gate_numbers& recorded) {
  auto gate = never_written;
  earliest due;
  for (const auto& grant : guards.active) due.consider(ms(grant.expires_at));
  auto& old_before = at(gate, gate_field::old_before);
  for (const auto& batch : guards.snapshot.grants.kept)
    old_before = std::max(old_before, ms(batch.until));
  at(gate, gate_field::kept) = guards.snapshot.grants.kept_total().micro();
  if (guards.snapshot.plan) {
    add_plan(guards, gate, due);
    add_top_ups(guards, recorded, gate, due);
  }
  // The next operation, at any time, evaluates the consequences of a change.
  const bool unwatched = guards.snapshot.plan && at(recorded, gate_field::alert_at) == 0;
  const auto looked_at = at(recorded, gate_field::due);
  if (unwatched) at(gate, gate_field::alert_at) = 0;
  at(gate, gate_field::due) =
      unwatched && looked_at > 0 ? std::min(due.get(), looked_at) : due.get();
  return gate;
}

std::vector<difference> audit_gate(const account_guards& guards) {
  comparison compare;
  for (const auto& name : guards.unreadable)
    compare.tell(name, "not as the ledger writes it", "numbers");
  compare_gate(guards, compare);
  compare_rate(guards, compare);
  for (const auto& cycle : guards.snapshot.cycles) compare_rooms(cycle, compare);
  const auto& plan = guards.snapshot.plan;
  if (plan) {
    const auto proven = member_alerts_of(guards.snapshot);
    if (!proven.empty() && guards.member_alerts != proven) {
      compare.tell("levels of alerts of agents, conversations and keys", guards.member_alerts,
                   proven);
    }
  }
  return std::move(compare).found();
}

}  // namespace tollgate::quota
