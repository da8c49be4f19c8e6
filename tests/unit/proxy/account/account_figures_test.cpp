// The figures shown for an account agree with the ledger: in cases that were reported, and over
// random histories.
#include "proxy/account/account_figures.hpp"

#include <random>

#include <gtest/gtest.h>

#include "proxy/account/quote.hpp"
#include "tests/unit/quota/customer.hpp"

namespace tollgate::proxy::admin {
namespace {

using namespace quota::literals;
using quota::credits;
using quota::customer;

const quota::plan_terms tiny{"tiny", 100_credits, 0, 0, 20'000, 0, 0, 0};

quota::account_snapshot snapshot_of(const customer& who) {
  quota::account_snapshot out;
  out.row = who.ledger.row();
  out.grants = who.ledger.grants();
  out.overdrawn = who.ledger.overdrawn();
  out.plan = who.ledger.plan();
  out.top_up = who.ledger.top_up();
  out.cycles = who.ledger.cycles();
  return out;
}

TEST(account_figures, a_cap_ends_calls_at_the_same_place_before_and_in_overage) {
  customer who;
  who.options.spend_cap_cents = 1'000;  // $10 at $0.02 are 500 credits beyond the 100
  who.plan(tiny);
  EXPECT_EQ(figures_of_cycle(snapshot_of(who)), (cycle_figures{100_credits, {}, 600_credits}));
  who.use(400_credits);
  EXPECT_EQ(figures_of_cycle(snapshot_of(who)),
            (cycle_figures{100_credits, 400_credits, 600_credits}));
  EXPECT_EQ(who.use(200_credits), quota::outcome::held);
  EXPECT_EQ(who.use(credits::from_micro(1)), quota::outcome::cap_reached);
}

TEST(account_figures, overage_tells_what_is_priced_and_what_is_owed) {
  customer who;
  who.options.spend_cap_cents = 100;  // 50 credits
  who.plan(tiny);
  who.use(180_credits, quota::admission::owed);
  EXPECT_EQ(overage_of(snapshot_of(who)),
            (overage_figures{80_credits, 50_credits, 100, 30_credits}));
  who.at(quota::on(2026, 12, 1));  // 50 are billed, and the allocation pays off the debt
  EXPECT_EQ(overage_of(snapshot_of(who)), (overage_figures{{}, {}, 0, {}}));
  EXPECT_EQ(who.available(), 70_credits);
}

TEST(account_figures, credits_owed_from_before_are_no_overage_of_this_cycle) {
  customer who;
  who.options.overage = false;
  who.plan(tiny);
  who.use(250_credits, quota::admission::owed);
  who.at(quota::on(2026, 12, 1));
  EXPECT_EQ(overage_of(snapshot_of(who)), (overage_figures{{}, {}, 0, 50_credits}));
}

TEST(account_figures, standing_goes_from_credit_to_the_cap) {
  customer who;
  EXPECT_EQ(standing_of(snapshot_of(who)).state, standing::no_credits_yet);
  who.options.spend_cap_cents = 1'000;
  who.plan(tiny);
  EXPECT_EQ(standing_of(snapshot_of(who)), (standing_figures{standing::in_credit, 0, 0}));
  who.use(80_credits);
  EXPECT_EQ(standing_of(snapshot_of(who)), (standing_figures{standing::nearly_used_up, 800, 0}));
  who.use(120_credits);
  EXPECT_EQ(standing_of(snapshot_of(who)).state, standing::in_overage);
  EXPECT_EQ(standing_of(snapshot_of(who)).cap_permille, 200);
  who.use(400_credits);
  EXPECT_EQ(standing_of(snapshot_of(who)).state, standing::spend_cap_reached);
  who.give("pack", 600_credits);  // pays off the overdraft, so none of the cap is spent
  EXPECT_EQ(standing_of(snapshot_of(who)), (standing_figures{standing::nearly_used_up, 833, 0}));
}

TEST(account_figures, an_automatic_top_up_counts_towards_the_cap) {
  customer who;
  who.options.spend_cap_cents = 1'000;
  who.options.top_up_threshold = 50_credits;
  who.options.top_up_cents = 900;  // 450 credits
  who.plan(tiny);
  who.use(80_credits);
  who.apply(quota::resolve_top_up{who.ledger.open_top_ups().at(0), quota::top_up_verdict::paid});
  EXPECT_EQ(standing_of(snapshot_of(who)), (standing_figures{standing::near_spend_cap, 145, 900}));
  EXPECT_EQ(figures_of_cycle(snapshot_of(who)),
            (cycle_figures{550_credits, 80_credits, 600_credits}));
}

TEST(account_figures, without_overage_credits_end_at_the_supply) {
  customer who;
  who.options.overage = false;
  who.plan(tiny);
  who.use(100_credits);
  EXPECT_EQ(figures_of_cycle(snapshot_of(who))->ends_at, 100_credits);
  EXPECT_EQ(standing_of(snapshot_of(who)).state, standing::no_credits_left);
}

TEST(account_figures, without_an_end_there_is_none) {
  customer who;
  who.plan(tiny);
  who.use(5'000_credits);
  EXPECT_EQ(figures_of_cycle(snapshot_of(who))->ends_at, std::nullopt);
  EXPECT_EQ(standing_of(snapshot_of(who)).state, standing::in_overage);
}

// One random operation of a customer.
void live(customer& who, std::mt19937_64& dice) {
  const auto below = [&](int n) {
    return static_cast<std::int64_t>(dice() % static_cast<unsigned>(n));
  };
  const auto amount = credits::from_micro(below(150'000'000) + 1);
  switch (below(12)) {
    case 0:
      who.options.spend_cap_cents = below(3) == 0 ? std::nullopt : std::optional{below(2'000)};
      who.options.overage = below(4) != 0;
      who.plan(tiny);
      break;
    case 1: {
      auto terms = tiny;
      terms.usd_micro_per_credit = below(30'000);
      terms.allocation = credits::from_whole(below(300));
      who.plan(terms, below(2) == 0);
      break;
    }
    case 2:
      who.give("g" + std::to_string(++who.next), amount);
      break;
    case 3:
      who.give("c" + std::to_string(++who.next), -amount, "correction");
      break;
    case 4:
      who.at(who.now + std::chrono::hours{below(24 * 20)});
      break;
    case 5:
      who.hold(++who.next, amount);
      break;
    case 6:
      who.use(amount, quota::admission::owed);
      break;
    case 7:
      who.apply(quota::request_top_up{"t" + std::to_string(++who.next), 100 + below(900)});
      break;
    default:
      who.use(amount);
  }
}

// The ledger admits exactly the amount that the page's line says is left.
void expect_line_holds(const customer& who) {
  const auto snapshot = snapshot_of(who);
  const auto figures = figures_of_cycle(snapshot);
  ASSERT_TRUE(figures);
  const auto left = (figures->ends_at ? *figures->ends_at - figures->used : 1'000'000_credits) -
                    snapshot.row.held;
  auto one = who;
  if (left > credits{}) {
    EXPECT_TRUE(quota::is_held(one.hold(1'000'000, left).result)) << to_string(left);
    if (!figures->ends_at) return;
    one = who;
  }
  const auto too_much = std::max(left, credits{}) + credits::from_micro(1);
  EXPECT_FALSE(quota::is_held(one.hold(1'000'001, too_much).result)) << to_string(too_much);
}

void expect_sums_hold(const customer& who) {
  const auto snapshot = snapshot_of(who);
  const auto overage = overage_of(snapshot);
  const auto open = who.statements().back();
  credits billed;
  for (const auto& line : open.record.billed) billed += line.amount;
  EXPECT_EQ(overage.priced - billed + overage.owed, snapshot.overdrawn);
  EXPECT_EQ(overage.cents, open.overage_cents);
  EXPECT_EQ(figures_of_cycle(snapshot)->used, open.record.settled);
}

TEST(account_figures, random_histories_agree_with_the_ledger) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 dice{seed};
    customer who;
    who.plan(tiny);
    for (int step = 0; step < 60; ++step) {
      live(who, dice);
      expect_line_holds(who);
      expect_sums_hold(who);
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
  }
}

TEST(quote, says_what_dollars_buy_and_percents_are) {
  EXPECT_EQ(quote_json(*read_quote("amount_usd=25.50&percent=80"), quota::starter),
            R"({"amount_usd":25.5,"credits":1275,"enough":true,"percent":80,"percent_usd":20.4,)"
            R"("percent_credits":16000,"minimum_usd":10,"usd_per_credit":0.02})");
  EXPECT_EQ(
      quote_json(*read_quote("amount_usd=9.99"), quota::starter),
      R"({"amount_usd":9.99,"credits":499.5,"enough":false,"percent":null,"percent_usd":null,)"
      R"("percent_credits":null,"minimum_usd":10,"usd_per_credit":0.02})");
  EXPECT_EQ(quote_json(*read_quote("amount_usd=25"), {}),
            R"({"amount_usd":25,"credits":null,"enough":false,"percent":null,"percent_usd":null,)"
            R"("percent_credits":null,"minimum_usd":0,"usd_per_credit":0})");
}

TEST(quote, refuses_what_is_no_question) {
  for (const auto* query :
       {"", "amount_usd=", "amount_usd=1.234", "amount_usd=-1", "amount_usd=1e3", "percent=0",
        "percent=1001", "percent=1.5", "credits=5"}) {
    EXPECT_FALSE(read_quote(query)) << query;
  }
}

}  // namespace
}  // namespace tollgate::proxy::admin
