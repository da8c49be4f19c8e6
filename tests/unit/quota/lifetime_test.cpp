// An account has no lifetime limit: the total given and used does not limit further grants.
#include <gtest/gtest.h>

#include "quota/money.hpp"
#include "tests/support/describe.hpp"
#include "tests/unit/quota/customer.hpp"

namespace tollgate::quota {
namespace {

using namespace std::chrono_literals;
using namespace literals;

constexpr auto billion = credits::from_whole(1'000'000'000);
constexpr auto most = credits::from_micro(credits::max_micro);

plan_terms enterprise() {
  return {"enterprise", billion, 0, 0, 1'000, 100, 0, 0};
}

TEST(lifetime, every_allocation_of_thirty_years_is_granted_whole) {
  customer one;
  one.plan(enterprise());
  for (int month = 0; month < 360; ++month) {
    ASSERT_EQ(one.available(), billion) << "month " << month;
    ASSERT_EQ(one.use(billion - 1_credits), outcome::held);
    one.at(one.ledger.plan()->end);
  }
  EXPECT_EQ(one.ledger.row().granted, credits::from_whole(361'000'000'000));
  EXPECT_EQ(one.ledger.row().settled, credits::from_whole(360 * 999'999'999LL));
  EXPECT_EQ(one.ledger.row().expired, 360_credits);
}

TEST(lifetime, silence_of_decades_forfeits_and_grants_every_month) {
  customer one;
  one.plan(enterprise());
  one.at(on(2056, 11, 1));
  EXPECT_EQ(one.available(), billion);
  EXPECT_EQ(one.ledger.row().expired, credits::from_whole(360'000'000'000));
}

TEST(lifetime, without_a_plan_too) {
  customer one;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(one.give("g" + std::to_string(i), most).result, outcome::granted);
    ASSERT_EQ(one.use(most), outcome::held);
  }
  EXPECT_EQ(one.available(), 0_credits);
  EXPECT_EQ(one.ledger.row().settled, credits::from_whole(400'000'000'000));
}

TEST(lifetime, overage_is_billed_whole_however_much_was_used_before) {
  customer one;
  one.plan(enterprise());
  for (int month = 0; month < 60; ++month) {
    ASSERT_EQ(one.use(billion + billion), outcome::held) << "month " << month;
    one.at(one.ledger.plan()->end);
    ASSERT_EQ(one.available(), billion) << "month " << month;
  }
  for (const auto& each : one.statements()) {
    if (each.record.closed) {
      EXPECT_EQ(each.overage, billion);
    }
  }
}

TEST(lifetime, a_pack_is_granted_whole_or_not_sold) {
  customer one;
  one.plan({"", {}, 0, 0, 10'000, 0, 0, 0});
  ASSERT_EQ(one.give("all", most - 5'000_credits).result, outcome::granted);
  EXPECT_EQ(one.apply(request_top_up{"pack", 10'000}).result, outcome::balance_full);
  ASSERT_EQ(one.apply(request_top_up{"half", 5'000}).result, outcome::recorded);
  // The requested credits already have their place.
  EXPECT_EQ(one.give("more", 1_credits).result, outcome::balance_full);
  EXPECT_EQ(one.apply(request_top_up{"more", 1}).result, outcome::balance_full);
  EXPECT_EQ(one.apply(resolve_top_up{"half", top_up_verdict::paid}).result, outcome::granted);
  EXPECT_EQ(one.available(), most);
  ASSERT_EQ(one.use(1'000'000_credits), outcome::held);
  EXPECT_EQ(one.apply(request_top_up{"pack", 10'000}).result, outcome::recorded);
}

TEST(lifetime, what_was_paid_has_room_that_gifts_have_not) {
  customer one;
  one.plan({"", {}, 0, 0, 10'000, 0, 0, 0});
  ASSERT_EQ(one.apply(request_top_up{"pack", 10'000}).result, outcome::recorded);
  ASSERT_EQ(one.apply(resolve_top_up{"pack", top_up_verdict::declined}).result, outcome::recorded);
  ASSERT_EQ(one.give("all", most).result, outcome::granted);
  EXPECT_EQ(one.give("more", 1_micro).result, outcome::balance_full);
  // The bank had declined, and later reports that it was paid after all.
  EXPECT_EQ(one.apply(resolve_top_up{"pack", top_up_verdict::paid}).result, outcome::granted);
  EXPECT_EQ(one.available(), most + 10'000_credits);
}

TEST(lifetime, a_correction_may_lower_a_balance_that_is_full) {
  customer one;
  ASSERT_EQ(one.give("all", most).result, outcome::granted);
  EXPECT_EQ(one.give("more", 1_credits).result, outcome::balance_full);
  EXPECT_EQ(one.give("less", -most, "correction").result, outcome::granted);
  EXPECT_EQ(one.give("below", -most, "correction").result, outcome::granted);
  EXPECT_EQ(one.give("too far", -1_micro, "correction").result, outcome::balance_full);
}

TEST(lifetime, terms_whose_rollover_could_not_be_counted_are_refused) {
  customer one;
  EXPECT_EQ(one.plan({"once", most, 0, 0, 0, 0, 0, 0}).result, outcome::configured);
  EXPECT_EQ(one.plan({"twice", most, 100, 1, 0, 0, 0, 0}).result, outcome::out_of_range);
  EXPECT_EQ(one.plan({"year", billion, 100, 12, 0, 0, 0, 0}).result, outcome::out_of_range);
  EXPECT_EQ(one.plan({"part", billion, 25, 12, 0, 0, 0, 0}).result, outcome::configured);
  EXPECT_FALSE(terms_fit({"year", billion, 100, 12, 0, 0, 0, 0}));
  EXPECT_TRUE(terms_fit({"part", billion, 25, 12, 0, 0, 0, 0}));
}

TEST(lifetime, an_allocation_that_does_not_fit_beside_the_balance_is_refused_at_configure) {
  customer one;
  ASSERT_EQ(one.give("all", most).result, outcome::granted);
  EXPECT_EQ(one.plan({"max", most, 0, 0, 0, 0, 0, 0}).result, outcome::configured);
  EXPECT_EQ(one.available(), most + most);
  const auto before = one.ledger.entries().size();
  EXPECT_EQ(one.plan({"max", most, 0, 0, 0, 0, 0, 0}).result, outcome::configured);
  EXPECT_EQ(one.plan({"max", most, 0, 0, 0, 0, 0, 0}, true, 15).result, outcome::balance_full);
  EXPECT_EQ(one.ledger.entries().size(), before);
  EXPECT_EQ(one.ledger.plan()->anchor_day, 1);
  one.at(on(2036, 11, 1));
  EXPECT_EQ(one.available(), most + most);
}

TEST(lifetime, what_rolls_over_leaves_room_for_the_next_allocation) {
  customer one;
  const auto half = credits::from_micro(credits::max_micro / 2);
  ASSERT_EQ(one.plan({"half", half, 100, 1, 0, 0, 0, 0}).result, outcome::configured);
  ASSERT_EQ(one.give("bought", half).result, outcome::granted);
  for (int year = 2027; year < 2057; ++year) {
    one.at(on(year, 1, 1));
    EXPECT_EQ(one.available(), half + half + half);
  }
}

// The account's total of grants is carried up to the largest total that can be counted.
TEST(lifetime, the_sum_of_all_grants_ends_at_eight_trillion_credits) {
  customer one;
  int given = 0;
  while (one.give("g" + std::to_string(given), most).result == outcome::granted) {
    ASSERT_LT(++given, 3'000);
    ASSERT_EQ(one.use(most), outcome::held);
  }
  EXPECT_EQ(given, 1'999);
}

TEST(lifetime, shares_of_more_than_can_be_counted_are_not_told) {
  customer one;
  one.options.alerts = {{alert_kind::allocation_percent, 50, {}, {}},
                        {alert_kind::credits_used, 1'000'000, {}, {}}};
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(one.give("g" + std::to_string(i), most).result, outcome::granted);
    ASSERT_EQ(one.use(most), outcome::held);
  }
  one.plan({"", {}, 0, 0, 0, 0, 0, 0});
  one.at(one.now);  // consequences of a change are checked after the next operation
  std::string told;
  for (const auto& event : one.ledger.events()) {
    if (event.type == "usage_threshold") told += event.facts + "\n";
  }
  EXPECT_EQ(told, "credits 1000000 used 12000000000000000 of 12000000000000000\n");
}

}  // namespace
}  // namespace tollgate::quota
