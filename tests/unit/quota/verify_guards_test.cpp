// The cached values for a call, and the counts of limits and alerts, against the rows and entries
// behind them.
#include <gtest/gtest.h>

#include "quota/audit_gate.hpp"
#include "quota/audit_members.hpp"

namespace tollgate::quota {
namespace {

using namespace std::chrono_literals;
using namespace literals;

constexpr time_point january{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
constexpr time_point february{std::chrono::sys_days{std::chrono::year{2026} / 2 / 1}};
constexpr time_point march{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};

// An account in its second cycle; the limits and the alert were set in the first.
account_guards second_cycle() {
  account_guards guards;
  account_plan plan;
  plan.terms = {"pro", 1'000_credits, 50, 1, 10'000, 100, 60, 10};
  plan.cycle = 1;
  plan.start = february;
  plan.end = plan.usual_end = march;
  plan.began = january;
  plan.peak = 1'000_credits;
  plan.options.spend_cap_cents = 5'000;
  plan.options.critical_overdraft = 7_credits;
  plan.options.top_up_threshold = 20_credits;
  plan.options.limits = {{limit_scope::agent, "*", 500_credits, limit_window::total},
                         {limit_scope::key, "k", 500_credits, limit_window::cycle},
                         {limit_scope::key, "*", 500_credits, limit_window::hour}};
  plan.limits_since.assign(3, january + 1ms);
  plan.options.alerts = {{alert_kind::allocation_percent, 80, limit_scope::agent, "*"}};
  plan.alerts_since = {january};
  plan.armed = {true};
  plan.told_exhausted = false;
  guards.snapshot.plan = plan;
  cycle_record first, second;
  first.start = january;
  first.end = second.start = february;
  second.end = march;
  first.closed = true;
  second.index = 1;
  second.allocation = 1'000_credits;
  guards.snapshot.cycles = {first, second};
  guards.rate = {{60, 10, 0, 0}};
  guards.member_alerts =
      "800000000 " + std::to_string(january.time_since_epoch().count()) + " 0 80 0 *";
  guards.gate = gate_of(guards, gate_numbers{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0});
  const auto counted = [&](std::string field, std::int64_t window, credits amount,
                           time_point since) {
    guards.counters.push_back({std::move(field), window, amount, since});
  };
  counted("03\t*\ta", 0, 12_credits, january + 1ms);
  counted("22\tk\tk", 1, 12_credits, january + 1ms);
  counted("20\t*\tk", 493'000, 12_credits, january + 1ms);
  counted("a0\t*\ta", 1, 9_credits, january);
  return guards;
}

ledger_entry entry(entry_type type, std::string hold, credits amount, credits released = {}) {
  ledger_entry each;
  each.type = type;
  each.subject = std::move(hold);
  each.amount = amount;
  each.released = released;
  each.cycle = 1;
  each.who.agent = "a";
  each.who.key_id = "k";
  return each;
}

std::string first_difference(const account_guards& guards) {
  auto found = audit_gate(guards);
  member_audit members{guards};
  members.add(entry(entry_type::reserve, "1", 10_credits));
  members.add(entry(entry_type::settle, "1", 9_credits, 1_credits));
  members.add(entry(entry_type::reserve, "2", 2_credits));
  members.add(entry(entry_type::extend, "2", 1_credits));
  members.add(entry(entry_type::reserve, "3", 50_credits));
  members.add(entry(entry_type::void_hold, "3", 50_credits));
  for (auto& each : members.finish()) found.push_back(std::move(each));
  return found.empty() ? "none" : found.front().what;
}

TEST(audit_of_guards, what_follows_from_the_books_is_proven) {
  EXPECT_EQ(first_difference(second_cycle()), "none");
}

TEST(audit_of_guards, the_room_of_overage_is_what_the_cap_covers) {
  EXPECT_EQ((*second_cycle().gate)[static_cast<std::size_t>(gate_field::room)],
            (5'000_credits).micro());
}

TEST(audit_of_guards, each_number_of_the_gate_that_is_altered_is_named) {
  const auto sound = second_cycle();
  for (std::size_t i = 0; i < sound.gate->size(); ++i) {
    for (const std::int64_t by : {-1LL, 1LL, 1'000'000LL}) {
      auto altered = sound;
      (*altered.gate)[i] += by;
      EXPECT_TRUE(first_difference(altered).starts_with("gate: ")) << i << " by " << by;
    }
  }
  auto none = sound;
  none.gate.reset();
  EXPECT_TRUE(first_difference(none).starts_with("gate: "));
}

TEST(audit_of_guards, a_counter_that_is_altered_or_missing_is_named) {
  const auto sound = second_cycle();
  for (std::size_t i = 0; i < sound.counters.size(); ++i) {
    const bool of_hour = sound.counters[i].field.starts_with("20");
    auto higher = sound, lower = sound, missing = sound;
    higher.counters[i].amount += of_hour ? 1'000_credits : credits::from_micro(1);
    lower.counters[i].amount -= credits::from_micro(1);
    missing.counters.erase(missing.counters.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(first_difference(higher), "none") << i;
    EXPECT_EQ(first_difference(lower) == "none", of_hour) << i;
    EXPECT_EQ(first_difference(missing) == "none", of_hour) << i;
  }
}

TEST(audit_of_guards, what_was_counted_in_the_cycle_in_which_the_limit_was_set_may_be_less) {
  auto guards = second_cycle();
  guards.snapshot.plan->limits_since.assign(3, february + 1h);
  guards.counters.clear();
  guards.counters.push_back({"a0\t*\ta", 1, 9_credits, january});
  EXPECT_EQ(first_difference(guards), "none");
  guards.counters.push_back({"03\t*\ta", 0, 13_credits, february + 1h});
  EXPECT_EQ(first_difference(guards), "limit in total of agent *: counted for a");
}

TEST(audit_of_guards, a_request_rate_beyond_its_burst_is_named) {
  auto guards = second_cycle();
  guards.rate = {{60, 10, 600'001, 0}};
  EXPECT_EQ(first_difference(guards), "request rate: level");
  guards.rate = {{61, 10, 0, 0}};
  EXPECT_EQ(first_difference(guards), "request rate");
}

TEST(audit_of_guards, rooms_of_cycles_are_within_what_they_can_be) {
  auto guards = second_cycle();
  guards.snapshot.cycles[0].overage_room = 1_credits;  // without a price
  EXPECT_EQ(first_difference(guards), "cycle 0: room of overage");
  guards = second_cycle();
  guards.snapshot.cycles[1].rollover_room = 1_credits;
  EXPECT_EQ(first_difference(guards), "cycle 1: room to roll over");
}

}  // namespace
}  // namespace tollgate::quota
