#include "quota/money.hpp"

#include <gtest/gtest.h>

#include "quota/statement.hpp"

namespace tollgate::quota {
namespace {

using namespace literals;

constexpr std::int64_t two_cents = 20'000,
                       a_cent = 10'000;  // per credit, in millionths of a dollar

static_assert(credits_bought(1'000, two_cents) == 500_credits);  // Starter: $10
static_assert(credits_bought(2'500, a_cent) == 2'500_credits);   // Pro: $25
static_assert(credits_bought(1, 30'000) == 333'333_micro);       // a third, rounded down
static_assert(credits_bought(2, 30'000) == 666'667_micro);       // half up
static_assert(cents_for(500_credits, two_cents) == 1'000);
static_assert(cents_for(500_credits + 1_micro, two_cents) == 1'001);  // rounded up
static_assert(!cents_for(credits::from_micro(credits::max_micro), max_usd_micro_per_credit));
static_assert(credits_covered(50 * 1'000'000, two_cents) == 2'500_credits);
static_assert(credits_covered(1, 30'000) == 33_micro);  // never more than is covered
static_assert(mul_div_half_up(1, 1, 2) == 1 && mul_div_half_up(1, 1, 3) == 0);

TEST(money, a_bill_is_rounded_once) {
  EXPECT_EQ(cents_of({{1'234'500'000_micro, two_cents}}), 2'469);  // $24.69
  EXPECT_EQ(cents_of({}), 0);
  EXPECT_EQ(cents_of({{250'000_micro, two_cents}}), 1);  // half a cent, up
  EXPECT_EQ(cents_of({{249'999_micro, two_cents}}), 0);
  // Two lines of a quarter of a cent are half a cent together, not zero twice.
  EXPECT_EQ(cents_of({{125'000_micro, two_cents}, {250'000_micro, a_cent}}), 1);
}

// A cap in dollars allows exactly as much as it pays for.
TEST(money, what_a_cap_covers_costs_no_more_than_the_cap) {
  for (const std::int64_t price : {1, 7, 333, 10'000, 20'000, 999'999, 1'000'000'000}) {
    for (const std::int64_t cents : {1, 2, 99, 5'000, 123'457}) {
      const auto covered = credits_covered(cents * usd_micro_per_cent, price);
      if (covered.micro() >= credits::max_micro) continue;
      EXPECT_LE(*cents_for(covered, price), cents) << price;
      EXPECT_GT(*cents_for(covered + 1_micro, price), cents) << price;
    }
  }
}

}  // namespace
}  // namespace tollgate::quota
