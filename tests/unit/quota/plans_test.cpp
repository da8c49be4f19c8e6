// Plans in money: grants, usage, rollover, billing and caps.
#include <gtest/gtest.h>

#include "tests/unit/quota/customer.hpp"

namespace tollgate::quota {
namespace {

using namespace std::chrono_literals;
using namespace literals;

TEST(plans, starter_pays_two_cents_for_what_is_beyond_its_credits) {
  customer acme;
  EXPECT_EQ(acme.plan(starter).amount, 20'000_credits);
  EXPECT_EQ(acme.use(20'000_credits), outcome::held);
  EXPECT_EQ(acme.available(), 0_credits);
  EXPECT_EQ(acme.use(1'234'500'000_micro), outcome::held);
  EXPECT_EQ(acme.ledger.overdrawn(), 1'234'500'000_micro);
  auto bill = acme.statements().back();
  EXPECT_EQ(bill.overage, 1'234'500'000_micro);
  EXPECT_EQ(bill.overage_cents, 2'469);

  acme.at(on(2026, 12, 1));
  bill = acme.statements().front();
  EXPECT_TRUE(bill.record.closed);
  EXPECT_EQ(bill.overage_cents, 2'469);
  EXPECT_EQ(bill.closing, 0_credits);
  EXPECT_EQ(acme.available(), 20'000_credits);  // billed, so no longer owed
  EXPECT_EQ(acme.ledger.overdrawn(), 0_credits);
}

TEST(plans, starter_loses_what_it_did_not_use) {
  customer acme;
  acme.plan(starter);
  acme.use(5'000_credits);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.available(), 20'000_credits);
  EXPECT_EQ(acme.ledger.row().expired, 15'000_credits);
  const auto first = acme.statements().front();
  EXPECT_EQ(first.record.forfeited, 15'000_credits);
  EXPECT_EQ(first.record.rolled_out, 0_credits);
}

TEST(plans, pro_rolls_over_for_one_cycle_and_burns_that_first) {
  customer acme;
  acme.plan(pro);
  acme.use(150'000_credits);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.available(), 250'000_credits);
  EXPECT_EQ(acme.left_of("rollover:0"), 50'000_credits);

  acme.use(20'000_credits);
  EXPECT_EQ(acme.left_of("rollover:0"), 30'000_credits);
  EXPECT_EQ(acme.left_of("allocation:1"), 200'000_credits);

  acme.at(on(2027, 1, 1));  // the rest of the rollover expires; the whole allocation rolls over
  EXPECT_EQ(acme.available(), 400'000_credits);
  EXPECT_EQ(acme.ledger.row().expired, 30'000_credits);
  EXPECT_EQ(acme.left_of("rollover:1"), 200'000_credits);
}

TEST(plans, pro_that_uses_nothing_never_holds_more_than_two_allocations) {
  customer acme;
  acme.plan(pro);
  for (int month = 1; month <= 24; ++month) {
    acme.at(on(2026 + (11 + month - 1) / 12, static_cast<unsigned>((11 + month - 1) % 12 + 1), 1));
    EXPECT_EQ(acme.available(), 400'000_credits) << month;
  }
}

TEST(plans, bought_credits_go_last_and_stay) {
  customer acme;
  acme.plan(pro);
  acme.give("pack", 1'000_credits);
  acme.use(150'000_credits);
  EXPECT_EQ(acme.left_of("pack"), 1'000_credits);
  acme.at(on(2026, 12, 1));
  acme.use(250'500_credits);  // 50,000 rolled over, 200,000 of the month, 500 bought
  EXPECT_EQ(acme.left_of("pack"), 500_credits);
  EXPECT_EQ(acme.available(), 500_credits);
}

TEST(plans, a_purchase_pays_off_what_was_used_beyond_the_credits) {
  customer acme;
  acme.plan(starter);
  acme.use(20'100_credits);
  EXPECT_EQ(acme.available(), -100_credits);
  acme.give("pack", 500_credits);
  EXPECT_EQ(acme.available(), 400_credits);
  EXPECT_EQ(acme.left_of("pack"), 400_credits);
  EXPECT_EQ(acme.ledger.overdrawn(), 0_credits);
  EXPECT_EQ(acme.ledger.entries().back().overage, -100_credits);
  EXPECT_EQ(acme.statements().back().overage_cents, 0);
}

TEST(plans, without_overage_the_credits_are_the_end) {
  customer acme;
  acme.options.overage = false;
  acme.plan(starter);
  acme.use(19'995_credits);
  EXPECT_EQ(acme.use(10_credits), outcome::insufficient_balance);
  EXPECT_EQ(acme.use(5_credits), outcome::held);
  const auto refused = acme.hold(1, 1_credits);
  EXPECT_EQ(refused.why->until, on(2026, 12, 1));
  EXPECT_EQ(refused.why->room, 0_credits);
}

TEST(plans, a_spend_cap_is_reached_to_the_micro_credit) {
  customer acme;
  acme.options.spend_cap_cents = 5'000;
  acme.plan(starter);
  acme.use(20'000_credits);
  EXPECT_EQ(acme.use(2'500_credits - 1_micro), outcome::held);
  EXPECT_EQ(acme.use(2_micro), outcome::cap_reached);
  EXPECT_EQ(acme.use(1_micro), outcome::held);
  EXPECT_EQ(acme.use(1_micro), outcome::cap_reached);
  EXPECT_EQ(acme.statements().back().overage_cents, 5'000);
  const auto refused = acme.hold(1, 1_credits);
  EXPECT_EQ(refused.why->until, on(2026, 12, 1));

  // Critical calls continue, and are never billed beyond the cap: they are owed in credits.
  EXPECT_EQ(acme.use(100_credits, admission::critical), outcome::held_beyond_balance);
  EXPECT_EQ(acme.statements().back().overage_cents, 5'000);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.statements().front().overage_cents, 5'000);
  EXPECT_EQ(acme.statements().front().closing, -100_credits);
  EXPECT_EQ(acme.available(), 19'900_credits);
}

TEST(plans, holds_count_towards_the_cap) {
  customer acme;
  acme.options.spend_cap_cents = 5'000;
  acme.plan(starter);
  acme.use(20'000_credits);
  EXPECT_EQ(acme.hold(1, 2'400_credits).result, outcome::held);
  EXPECT_EQ(acme.hold(2, 101_credits).result, outcome::cap_reached);
  EXPECT_EQ(acme.hold(2, 100_credits).result, outcome::held);
  acme.settle(1, 1_credits);
  EXPECT_EQ(acme.hold(3, 2'399_credits).result, outcome::held);
}

TEST(plans, critical_calls_can_be_bounded) {
  customer acme;
  acme.options.spend_cap_cents = 0;
  acme.options.critical_overdraft = 10_credits;
  acme.plan(starter);
  acme.use(20'000_credits);
  EXPECT_EQ(acme.use(10_credits, admission::critical), outcome::held_beyond_balance);
  EXPECT_EQ(acme.use(1_micro, admission::critical), outcome::cap_reached);
}

reserve critical_call(std::uint64_t n, credits amount) {
  return {hold_id::make(time_point{}, 0, n), amount, 60s, admission::critical, "", {}};
}

// Without a plan, too: an account that has nothing is bounded by the configuration.
TEST(plans, critical_calls_are_bounded_by_default) {
  account_ledger nobody{critical_terms{10_credits, 0, 0}};
  const time_point now{};
  EXPECT_EQ(nobody.apply(critical_call(1, 10_credits), now).result, outcome::held_beyond_balance);
  const auto refused = nobody.apply(critical_call(2, 1_micro), now);
  EXPECT_EQ(refused.result, outcome::insufficient_balance);
}

TEST(plans, an_overdraft_of_its_own_replaces_the_default) {
  account_ledger acme{critical_terms{10_credits, 0, 0}};
  configure what;
  what.terms = starter;
  what.terms.allocation = {};
  what.terms.usd_micro_per_credit = 0;
  what.options.critical_overdraft = 20_credits;
  const time_point now{};
  acme.apply(what, now);
  EXPECT_EQ(acme.apply(critical_call(1, 20_credits), now).result, outcome::held_beyond_balance);
  EXPECT_EQ(acme.apply(critical_call(2, 1_micro), now).result, outcome::insufficient_balance);
}

// Two at once and one a second, but only of those beyond the balance.
TEST(plans, critical_calls_beyond_the_balance_have_a_rate) {
  account_ledger nobody{critical_terms{{}, 60, 2}};
  time_point now{1h};
  nobody.apply(grant{"g", 1_credits, "purchase", "", {}, {}}, now);
  EXPECT_EQ(nobody.apply(critical_call(1, 1_credits), now).result, outcome::held);
  EXPECT_EQ(nobody.apply(critical_call(2, 1_credits), now).result, outcome::held_beyond_balance);
  EXPECT_EQ(nobody.apply(critical_call(3, 1_credits), now).result, outcome::held_beyond_balance);
  const auto refused = nobody.apply(critical_call(4, 1_credits), now);
  EXPECT_EQ(refused.result, outcome::rate_limited);
  EXPECT_EQ(refused.why->until, now + 1s);
  now += 1s;
  EXPECT_EQ(nobody.apply(critical_call(5, 1_credits), now).result, outcome::held_beyond_balance);
}

TEST(plans, an_upgrade_is_prorated_by_the_second) {
  customer acme;
  acme.plan(starter);
  acme.now = on(2026, 11, 16);  // half of November is left
  EXPECT_EQ(acme.plan(pro).amount, 90'000_credits);
  EXPECT_EQ(acme.plan(pro).amount, 0_credits);  // repeating it changes nothing
  EXPECT_EQ(acme.plan(starter).amount, 0_credits);
  EXPECT_EQ(acme.plan(pro).amount, 0_credits);  // nor does a downgrade and another upgrade
  EXPECT_EQ(acme.available(), 110'000_credits);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.available(), 310'000_credits);  // 110,000 roll over, by Pro's rule
}

TEST(plans, an_upgrade_a_second_before_the_end_is_worth_a_second) {
  customer acme;
  acme.plan(starter);
  acme.now = on(2026, 12, 1) - 1s;
  // 180,000 credits * 1 s / 2,592,000 s = 0.0694444...
  EXPECT_EQ(acme.plan(pro).amount, 69'444_micro);
}

TEST(plans, a_change_can_wait_for_the_next_cycle) {
  customer acme;
  acme.plan(pro);
  EXPECT_EQ(acme.plan(starter, false).amount, 0_credits);
  EXPECT_EQ(acme.ledger.plan()->terms.plan, "pro");
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.ledger.plan()->terms.plan, "starter");
  EXPECT_EQ(acme.available(), 220'000_credits);  // Pro's rule for Pro's grant
  acme.at(on(2027, 1, 1));
  EXPECT_EQ(acme.available(), 20'000_credits);
}

TEST(plans, overage_is_billed_at_the_price_at_which_it_was_used) {
  customer acme;
  acme.plan(starter);
  acme.use(20'100_credits);
  acme.now = on(2026, 11, 16);
  acme.plan(pro);
  acme.use(90'100_credits);  // the rest of the upgrade, and 100 beyond
  const auto bill = acme.statements().back();
  EXPECT_EQ(bill.overage, 200_credits);
  EXPECT_EQ(bill.overage_cents, 200 + 100);
}

TEST(plans, the_lines_of_a_statement_add_up) {
  customer acme;
  acme.plan(pro);
  acme.give("gift", 10_credits, "promotion", on(2026, 11, 3));
  acme.give("pack", 77_credits);
  acme.give("oops", -7_credits, "correction");
  acme.use(150'003_credits);
  acme.at(on(2026, 12, 1));
  acme.use(260'000_credits);
  acme.at(on(2027, 1, 1));
  const auto all = acme.statements();
  ASSERT_EQ(all.size(), 3u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& books = all[i].record;
    EXPECT_EQ(all[i].opening, i == 0 ? 0_credits : all[i - 1].closing);
    const auto rolled = i == 0 ? 0_credits : all[i - 1].record.rolled_out;
    EXPECT_EQ(books.rolled_in, rolled);
  }
  EXPECT_EQ(all[0].record.promotion, 10_credits);
  EXPECT_EQ(all[0].record.correction, -7_credits);
  EXPECT_EQ(all[0].record.settled, 150'003_credits);
  // The account's balance is the closing balance of the last statement.
  EXPECT_EQ(all[2].closing, acme.ledger.row().posted());
}

// --- time ---

TEST(plans, three_years_of_silence_close_every_cycle_in_turn) {
  customer acme;
  acme.now = on(2026, 1, 31);
  acme.plan(pro);
  acme.use(150'000_credits);
  acme.at(on(2029, 1, 31));
  const auto all = acme.statements();
  ASSERT_EQ(all.size(), 37u);
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(all[i].record.start, all[i - 1].record.end);
    EXPECT_EQ(all[i].record.allocation, 200'000_credits);
    EXPECT_TRUE(all[i - 1].record.closed);
  }
  EXPECT_EQ(all[1].record.start, on(2026, 2, 28));
  EXPECT_EQ(all[2].record.start, on(2026, 3, 31));
  EXPECT_EQ(all[25].record.start, on(2028, 2, 29));
  EXPECT_EQ(acme.available(), 400'000_credits);
}

TEST(plans, a_cycle_closes_once_whoever_notices) {
  customer acme;
  acme.plan(starter);
  acme.now = on(2026, 12, 1);
  for (int i = 0; i < 5; ++i) acme.apply(expire_holds{});
  EXPECT_EQ(acme.ledger.cycles().size(), 2u);
  EXPECT_EQ(acme.available(), 20'000_credits);
}

TEST(plans, the_last_millisecond_belongs_to_the_old_cycle) {
  customer acme;
  acme.plan(starter);
  acme.at(on(2026, 12, 1) - 1ms);
  EXPECT_EQ(acme.ledger.plan()->cycle, 0);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.ledger.plan()->cycle, 1);
}

// A cycle is never cut short: otherwise moving the anchor every day would give an allocation and a
// cap every day.
TEST(plans, another_anchor_lengthens_the_cycle_and_its_allocation) {
  customer acme;
  acme.now = on(2026, 11, 10);
  acme.plan(starter, true, 1);
  EXPECT_EQ(acme.ledger.plan()->start, on(2026, 11, 1));
  acme.now += 1ms;
  EXPECT_EQ(acme.plan(starter, true, 16).amount, 10'000_credits);  // half a month more
  EXPECT_EQ(acme.ledger.plan()->end, on(2026, 12, 16));
  EXPECT_EQ(acme.plan(starter, true, 16).amount, 0_credits);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.available(), 30'000_credits);
  acme.at(on(2026, 12, 16));
  EXPECT_EQ(acme.ledger.row().expired, 30'000_credits);
  EXPECT_EQ(acme.available(), 20'000_credits);
}

TEST(plans, an_anchor_cannot_put_off_the_bill_for_ever) {
  customer acme;
  acme.plan(starter, true, 1);
  acme.now += 1ms;
  EXPECT_EQ(acme.plan(starter, true, 30).result, outcome::configured);
  EXPECT_EQ(acme.plan(starter, true, 29).result, outcome::out_of_range);
}

TEST(plans, a_rollover_keeps_its_time_when_the_anchor_moves) {
  customer acme;
  acme.plan(pro);
  acme.at(on(2026, 12, 2));
  acme.plan(pro, true, 3);  // the cycle ends on the 3rd of January
  acme.at(on(2027, 1, 2));
  EXPECT_EQ(acme.left_of("rollover:0"), 200'000_credits);
}

// --- billed and owed amounts ---

TEST(plans, a_lower_cap_forgives_nothing) {
  for (const bool off : {false, true}) {
    customer acme;
    acme.plan(starter);
    acme.use(70'000_credits);
    acme.options.spend_cap_cents = 0;
    acme.options.overage = !off;
    acme.plan(starter);
    EXPECT_EQ(acme.statements().back().overage_cents, 100'000);
    EXPECT_EQ(acme.use(1_micro), off ? outcome::insufficient_balance : outcome::cap_reached);
    acme.at(on(2026, 12, 1));
    EXPECT_EQ(acme.statements()[0].overage_cents, 100'000);
    EXPECT_EQ(acme.available(), 20'000_credits);
  }
}

TEST(plans, what_was_used_beyond_the_cap_is_never_billed) {
  customer acme;
  acme.options.spend_cap_cents = 5'000;
  acme.plan(starter);
  acme.use(22'500_credits);
  acme.use(30'000_credits, admission::critical);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.statements()[0].overage_cents, 5'000);
  EXPECT_EQ(acme.available(), -10'000_credits);  // December's 20,000 pay off part of the 30,000
  EXPECT_EQ(acme.ledger.plan()->owed, 10'000_credits);
  EXPECT_EQ(acme.use(2'500_credits), outcome::held);  // December has a cap of its own
  EXPECT_EQ(acme.use(1_micro), outcome::cap_reached);
  acme.at(on(2027, 1, 1));
  EXPECT_EQ(acme.statements()[1].overage_cents, 5'000);
  EXPECT_EQ(acme.available(), 10'000_credits);
}

TEST(plans, what_was_used_before_there_was_overage_is_never_billed) {
  customer acme;
  acme.options.overage = false;
  acme.plan(starter);
  acme.use(20'000_credits);
  acme.use(500_credits, admission::critical);
  acme.options.overage = true;
  acme.plan(starter);
  acme.use(100_credits);
  EXPECT_EQ(acme.statements().back().overage_cents, 200);
}

TEST(plans, a_correction_is_owed_in_credits) {
  customer acme;
  acme.plan(starter);
  acme.use(20'000_credits);
  acme.give("oops", -500_credits, "correction");
  EXPECT_EQ(acme.statements().back().overage_cents, 0);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.available(), 19'500_credits);
}

TEST(plans, a_grant_named_like_a_rollover_swallows_none) {
  customer acme;
  acme.plan(pro);
  acme.give("rollover:0", 1_credits);
  acme.at(on(2026, 12, 1));
  acme.at(on(2027, 1, 1));
  EXPECT_EQ(acme.available(), 400'001_credits);
}

// --- alerts ---

std::vector<std::string> told(const customer& who) {
  std::vector<std::string> all;
  for (const auto& event : who.ledger.events()) {
    if (event.type != "billing_updated") all.push_back(event.type + ": " + event.facts);
  }
  return all;
}

TEST(alerts, each_fires_once_at_the_crossing_however_far_a_charge_jumps) {
  customer acme;
  acme.options.alerts = {{alert_kind::allocation_percent, 50},
                         {alert_kind::allocation_percent, 80},
                         {alert_kind::credits_used, 1}};
  acme.plan(starter);
  EXPECT_EQ(told(acme), std::vector<std::string>{});
  acme.use(10'000_credits - 1_micro);
  EXPECT_EQ(
      told(acme),
      (std::vector<std::string>{"usage_threshold: credits 1 used 9999999999 of 20000000000"}));
  acme.use(7'000_credits);
  EXPECT_EQ(told(acme).size(), 3u);
  EXPECT_EQ(told(acme)[1], "usage_threshold: percent 50 used 16999999999 of 20000000000");
  EXPECT_EQ(told(acme)[2], "usage_threshold: percent 80 used 16999999999 of 20000000000");
  acme.use(1_credits);
  acme.plan(starter);
  EXPECT_EQ(told(acme).size(), 3u);
}

TEST(alerts, fire_again_in_the_next_cycle_and_after_new_credits) {
  customer acme;
  acme.options.alerts = {{alert_kind::allocation_percent, 80}};
  acme.plan(starter);
  acme.use(16'000_credits);
  EXPECT_EQ(told(acme).size(), 1u);
  acme.give("pack", 5'000_credits);  // 80 % of 25,000 are 20,000
  acme.use(3'999_credits);
  EXPECT_EQ(told(acme).size(), 1u);
  acme.use(1_credits);
  EXPECT_EQ(told(acme).size(), 2u);
  acme.at(on(2026, 12, 1));
  acme.use(16'000_credits);
  EXPECT_EQ(told(acme).back(), "usage_threshold: percent 80 used 16000000000 of 20000000000");
}

TEST(alerts, of_the_spend_cap_and_its_end) {
  customer acme;
  acme.options.spend_cap_cents = 5'000;
  acme.options.alerts = {{alert_kind::spend_cap_percent, 50}};
  acme.plan(starter);
  acme.use(20'000_credits);
  EXPECT_EQ(told(acme), (std::vector<std::string>{"balance_exhausted: available 0"}));
  acme.use(1'250_credits);
  EXPECT_EQ(told(acme).back(),
            "usage_threshold: cap_percent 50 cap_cents 5000 top_up_cents 0 overage 1250000000 "
            "cost 1250000000*20000");
  acme.use(1'249_credits);
  acme.use(2_credits);  // refused
  EXPECT_EQ(told(acme).back(),
            "spend_cap_reached: cap_cents 5000 top_up_cents 0 overage 2499000000 "
            "cost 2499000000*20000");
  acme.use(2_credits);
  acme.use(1_credits);
  EXPECT_EQ(told(acme).size(), 3u);
}

TEST(alerts, of_the_cap_tell_what_was_bought_and_what_was_billed_apart) {
  customer acme;
  acme.options.spend_cap_cents = 100;
  acme.plan(starter);
  acme.use(20'018_credits);
  auto cheaper = starter;
  cheaper.usd_micro_per_credit = 10'000;
  acme.plan(cheaper);  // usage until now is billed at the old price
  acme.use(64_credits);
  EXPECT_EQ(told(acme).back(),
            "spend_cap_reached: cap_cents 100 top_up_cents 0 overage 82000000 "
            "cost 18000000*20000,64000000*10000");
  EXPECT_EQ(acme.statements().back().overage_cents, 100);
}

TEST(alerts, a_cap_of_nothing_is_reached_when_something_is_wanted) {
  customer acme;
  acme.options.spend_cap_cents = 0;
  acme.options.alerts = {{alert_kind::spend_cap_percent, 50}};
  acme.plan(starter);
  EXPECT_EQ(told(acme).size(), 0u);
  acme.use(20'000_credits);
  EXPECT_EQ(told(acme), (std::vector<std::string>{"balance_exhausted: available 0"}));
  acme.use(1_micro);  // refused
  EXPECT_EQ(told(acme).back(),
            "spend_cap_reached: cap_cents 0 top_up_cents 0 overage 0 cost 0*20000");
  EXPECT_EQ(told(acme).size(), 2u);
}

TEST(alerts, a_refusal_tells_of_the_end_of_the_credits_once) {
  customer acme;
  acme.options.overage = false;
  acme.plan(starter);
  acme.use(19'995_credits);
  acme.use(10_credits);
  acme.use(10_credits);
  acme.use(5_credits);
  EXPECT_EQ(told(acme), (std::vector<std::string>{"balance_exhausted: available 5000000"}));
  acme.give("pack", 1_credits);
  acme.use(1_credits);
  EXPECT_EQ(told(acme).size(), 2u);
}

// --- credits that expire while calls are in progress ---

TEST(plans, a_hold_keeps_the_credits_it_was_placed_on) {
  customer acme;
  acme.give("gift", 100_credits, "promotion", on(2026, 11, 2));
  acme.hold(1, 60_credits);
  acme.at(on(2026, 11, 2));
  EXPECT_EQ(acme.ledger.row().expired, 40_credits);
  EXPECT_EQ(acme.available(), 0_credits);
  EXPECT_EQ(acme.hold(2, 1_credits).result, outcome::insufficient_balance);
  acme.settle(1, 50_credits);  // and gives back ten that have expired
  EXPECT_EQ(acme.ledger.row().expired, 50_credits);
  EXPECT_EQ(acme.available(), 0_credits);
}

TEST(plans, a_hold_placed_at_the_moment_of_expiry_finds_nothing) {
  customer acme;
  acme.give("gift", 100_credits, "promotion", on(2026, 11, 2));
  acme.now = on(2026, 11, 2) - 1ms;
  EXPECT_EQ(acme.hold(1, 10_credits).result, outcome::held);
  acme.now = on(2026, 11, 2);
  EXPECT_EQ(acme.hold(2, 10_credits).result, outcome::insufficient_balance);
}

TEST(plans, a_call_over_the_boundary_is_booked_where_it_began) {
  customer acme;
  acme.plan(starter);
  acme.now = on(2026, 12, 1) - 1s;
  acme.hold(1, 30_credits);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.available(), 20'000_credits);
  acme.settle(1, 20_credits);
  const auto all = acme.statements();
  EXPECT_EQ(all[0].record.settled, 20_credits);
  EXPECT_EQ(all[0].record.forfeited, 19'980_credits);
  EXPECT_EQ(all[0].closing, 0_credits);
  EXPECT_EQ(all[1].record.settled, 0_credits);
  EXPECT_EQ(acme.available(), 20'000_credits);
}

TEST(plans, what_a_late_call_gives_back_rolls_over_like_the_rest) {
  customer acme;
  acme.plan(pro);
  acme.now = on(2026, 12, 1) - 1s;
  acme.hold(1, 30_credits);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.left_of("rollover:0"), 199'970_credits);
  acme.release(1);
  EXPECT_EQ(acme.left_of("rollover:0"), 200'000_credits);
  EXPECT_EQ(acme.available(), 400'000_credits);
}

TEST(plans, overage_of_a_late_call_is_billed_to_its_own_cycle) {
  customer acme;
  acme.options.spend_cap_cents = 100;  // 50 credits
  acme.plan(starter);
  acme.use(20'010_credits);
  acme.now = on(2026, 12, 1) - 1s;
  acme.hold(1, 30_credits);
  acme.at(on(2026, 12, 1));
  EXPECT_EQ(acme.statements()[0].overage, 10_credits);
  acme.settle(1, 55_credits);  // 40 are left under November's cap
  const auto all = acme.statements();
  EXPECT_EQ(all[0].overage, 50_credits);
  EXPECT_EQ(all[0].overage_cents, 100);
  EXPECT_EQ(all[0].record.settled, 20'065_credits);
  EXPECT_EQ(acme.available(), 19'985_credits);  // the other 15 are owed in credits
}

// --- limits and rates ---

const attribution agent_1{"chat", "llm", "gpt-4", "a1", "c1", "k1"};
const attribution agent_2{"chat", "llm", "gpt-4", "a2", "c2", "k1"};

TEST(limits, of_an_agent_by_the_day) {
  customer acme;
  acme.options.limits = {{limit_scope::agent, "a1", 100_credits, limit_window::day}};
  acme.plan(starter);
  acme.now += 1h;
  EXPECT_EQ(acme.hold(1, 60_credits, admission::enforce, agent_1).result, outcome::held);
  const auto refused = acme.hold(2, 41_credits, admission::enforce, agent_1);
  EXPECT_EQ(refused.result, outcome::limit_reached);
  EXPECT_EQ(refused.why->room, 40_credits);
  EXPECT_EQ(refused.why->until, on(2026, 11, 2));
  EXPECT_EQ(acme.hold(3, 41_credits, admission::enforce, agent_2).result, outcome::held);
  acme.settle(1, 10_credits);  // 50 are given back
  EXPECT_EQ(acme.hold(4, 90_credits, admission::enforce, agent_1).result, outcome::held);
  EXPECT_EQ(acme.hold(5, 1_micro, admission::enforce, agent_1).result, outcome::limit_reached);
  EXPECT_EQ(acme.hold(6, 1_micro, admission::critical, agent_1).result,
            outcome::held_beyond_balance);
  acme.at(on(2026, 11, 2));
  EXPECT_EQ(acme.hold(7, 100_credits, admission::enforce, agent_1).result, outcome::held);
}

TEST(limits, of_each_key_by_itself) {
  customer acme;
  acme.options.limits = {{limit_scope::key, "*", 5_credits, limit_window::total}};
  acme.plan(starter);
  acme.now += 1h;
  attribution other = agent_1;
  other.key_id = "k2";
  EXPECT_EQ(acme.hold(1, 5_credits, admission::enforce, agent_1).result, outcome::held);
  EXPECT_EQ(acme.hold(2, 1_credits, admission::enforce, agent_1).result, outcome::limit_reached);
  EXPECT_EQ(acme.hold(3, 5_credits, admission::enforce, other).result, outcome::held);
}

// All or nothing: the limit that would be exceeded leaves no count in the others.
TEST(limits, several_at_once) {
  customer acme;
  acme.options.limits = {{limit_scope::agent, "*", 100_credits, limit_window::cycle},
                         {limit_scope::conversation, "*", 10_credits, limit_window::hour}};
  acme.plan(starter);
  acme.now += 1h;
  EXPECT_EQ(acme.hold(1, 10_credits, admission::enforce, agent_1).result, outcome::held);
  EXPECT_EQ(acme.hold(2, 10_credits, admission::enforce, agent_1).result, outcome::limit_reached);
  acme.now += 1h;
  EXPECT_EQ(acme.hold(3, 10_credits, admission::enforce, agent_1).result, outcome::held);
  EXPECT_EQ(acme.renew(3, 11_credits).result, outcome::limit_reached);
}

TEST(limits, hold_a_call_that_goes_on_over_the_end_of_the_window) {
  customer acme;
  acme.options.limits = {{limit_scope::agent, "*", 10_credits, limit_window::day}};
  acme.plan(starter);
  acme.now = on(2026, 11, 2) - 1s;
  EXPECT_EQ(acme.hold(1, 10_credits).result, outcome::held);
  acme.now += 2s;
  EXPECT_EQ(acme.renew(1, 11_credits).result, outcome::limit_reached);
}

TEST(limits, leaving_the_name_out_is_no_way_around) {
  customer acme;
  acme.options.limits = {{limit_scope::agent, "*", 10_credits, limit_window::day}};
  acme.plan(starter);
  acme.now += 1h;
  attribution nobody = agent_1;
  nobody.agent = "";
  EXPECT_EQ(acme.hold(1, 11_credits, admission::enforce, nobody).result, outcome::limit_reached);
  EXPECT_EQ(acme.hold(2, 10_credits, admission::enforce, nobody).result, outcome::held);
}

TEST(limits, one_that_was_removed_and_set_again_starts_anew) {
  customer acme;
  acme.options.limits = {{limit_scope::agent, "a1", 100_credits, limit_window::total}};
  acme.plan(starter);
  acme.now += 1h;
  acme.hold(1, 90_credits);
  const auto limits = std::exchange(acme.options.limits, {});
  acme.plan(starter);
  acme.release(1);
  acme.options.limits = limits;
  acme.plan(starter);
  acme.now += 1s;
  EXPECT_EQ(acme.hold(2, 100_credits).result, outcome::held);
}

TEST(limits, a_hold_from_before_the_limit_is_not_counted) {
  customer acme;
  acme.plan(starter);
  acme.hold(1, 50_credits);
  acme.options.limits = {{limit_scope::agent, "a1", 10_credits, limit_window::total}};
  acme.plan(starter);
  acme.now += 1s;
  acme.settle(1, 40_credits);
  EXPECT_EQ(acme.hold(2, 10_credits).result, outcome::held);
}

TEST(rates, starter_gets_a_hundred_at_once_and_then_one_a_second) {
  customer acme;
  auto terms = starter;
  terms.requests_per_minute = 60;
  terms.burst = 100;
  acme.plan(terms);
  for (int i = 0; i < 100; ++i) {
    const auto reply = acme.hold(i, 1_credits);
    ASSERT_EQ(reply.result, outcome::held);
    ASSERT_EQ(reply.rate->remaining, 99 - i);
  }
  const auto refused = acme.hold(100, 1_credits);
  EXPECT_EQ(refused.result, outcome::rate_limited);
  EXPECT_EQ(refused.why->until, acme.now + 1s);
  EXPECT_EQ(refused.rate->full_at, acme.now + 100s);
  EXPECT_EQ(acme.hold(101, 1_credits, admission::critical).result, outcome::rate_limited);
  EXPECT_EQ(acme.hold(102, 1_credits, admission::shadow).result, outcome::held);
  acme.now += 999ms;
  EXPECT_EQ(acme.hold(103, 1_credits).result, outcome::rate_limited);
  acme.now += 1ms;
  EXPECT_EQ(acme.hold(104, 1_credits).result, outcome::held);
  EXPECT_EQ(acme.hold(105, 1_credits).result, outcome::rate_limited);
  acme.now += 1h;
  EXPECT_EQ(acme.hold(106, 1_credits).rate->remaining, 99);
}

TEST(rates, a_replay_is_no_request) {
  customer acme;
  auto terms = starter;
  terms.requests_per_minute = 60;
  terms.burst = 1;
  acme.plan(terms);
  EXPECT_EQ(acme.hold(1, 1_credits).result, outcome::held);
  EXPECT_EQ(acme.hold(1, 1_credits).result, outcome::exists);
}

}  // namespace
}  // namespace tollgate::quota
