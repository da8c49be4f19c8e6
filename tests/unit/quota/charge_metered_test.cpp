// Holds that are extended with metered usage.
#include <array>
#include <random>

#include "tests/unit/quota/conversation.hpp"

namespace tollgate::quota {
namespace {

// Extended by the metered amount, requested when a quarter of the previous extension is left.
TEST(charge, a_hold_grows_ahead_of_what_is_metered) {
  conversation{call_of(tts(), seconds(10))}
      .expect_reserve(10_credits)
      .expect_forward()
      .metered(seconds(8))
      .expect_wait()
      .metered(seconds(9))
      .expect_growth(18_credits, 9_credits)
      .expect_wait()
      .metered(seconds(14))
      .expect_wait()
      .metered(seconds(15))
      .expect_growth(30_credits, 15_credits)
      .expect_wait()
      .ended(stream_end::accepted, seconds(16))
      .expect_settle(16_credits, 16'000'000)
      .expect_done(16_credits)
      .hold();
}

// And by at most one step: one minute here.
TEST(charge, a_hold_is_never_more_than_one_step_ahead) {
  conversation{call_of(tts(), seconds(100))}
      .expect_reserve(100_credits)
      .expect_forward()
      .metered(seconds(85))
      .expect_wait()
      .metered(seconds(86))
      .expect_growth(146_credits, 86_credits)
      .expect_wait()
      .ended(stream_end::accepted, seconds(86))
      .expect_settle(86_credits, 86'000'000)
      .expect_done(86_credits)
      .hold();
}

// The upstream's work is held exactly, and no more than that.
TEST(charge, what_is_held_beyond_all_there_is_is_given_back) {
  auto terms = call_of(tts(), seconds(1));
  conversation{terms}
      .expect_reserve(1_credits)
      .expect_forward()
      .metered(seconds(20))
      .expect_growth(40_credits, 20_credits)
      .expect_wait()
      .metered(seconds(30), true)
      .expect(release{terms.id, 30_credits}, outcome::released, 30_credits)
      .expect_wait()
      .metered(seconds(30), true)
      .expect_wait()
      .ended(stream_end::accepted, seconds(30))
      .expect_settle(30_credits, 30'000'000)
      .expect_done(30_credits)
      .hold();
}

// The call ends while the rest is being given back: the charge waits for that answer.
TEST(charge, a_call_may_end_while_its_rest_is_given_back) {
  for (const bool answered : {true, false}) {
    charge money{call_of(tts(), seconds(9))};
    money.resume(charge::begin{});
    money.resume(charge::answered{{outcome::held, 9_credits, 1_credits}});
    EXPECT_TRUE(
        text_of(money.resume(charge::metered{seconds(2), true})).starts_with("apply release"));
    EXPECT_EQ(text_of(money.resume(charge::ended{stream_end::accepted, seconds(2)})), "wait");
    const auto next = answered ? money.resume(charge::answered{{outcome::released, 2_credits, {}}})
                               : money.resume(charge::store_failed{});
    EXPECT_TRUE(text_of(next).starts_with("apply settle")) << text_of(next);
  }
}

// For any usage, in any pieces: at most twice the charge, and at most one step above it, except for
// one second if less than that is charged.
TEST(charge, a_hold_is_at_most_twice_the_charge_and_one_step_beyond_it) {
  std::mt19937_64 dice{7};
  for (int story = 0; story < 2'000; ++story) {
    auto price_at = tts();
    price_at.increment_us = std::array{1'000'000, 100'000, 1'000, 60'000'000}[dice() % 4];
    auto terms = call_of(price_at, usage{price_at.increment_us});
    terms.hold_step = std::array{1'000'000, 10'000'000, 60'000'000}[dice() % 3];
    charge money{terms};
    money.resume(charge::begin{});
    money.resume(charge::answered{{outcome::held, money.held(), 99_credits}});
    const auto all = static_cast<std::int64_t>(dice() % (std::int64_t{1} << (14 + dice() % 19)));
    std::int64_t so_far = 0;
    credits most = money.held();
    while (so_far < all) {
      so_far = std::min(
          all,
          so_far + 1 + static_cast<std::int64_t>(dice() % (std::int64_t{1} << (10 + dice() % 18))));
      auto action = money.resume(charge::metered{{so_far}, so_far == all && dice() % 2 == 0});
      while (const auto* asked = std::get_if<charge::apply>(&action)) {
        outcome how = outcome::released;
        credits amount;
        if (const auto* more = std::get_if<extend>(&asked->what)) {
          how = outcome::extended, amount = more->amount;
        } else {
          amount = std::get<release>(asked->what).amount;
        }
        most = std::max(most, amount);
        action = money.resume(charge::answered{{how, amount, 99_credits}});
      }
      ASSERT_TRUE(money.covers({so_far})) << "story " << story;
    }
    const auto cost = price(price_at, {all});
    const auto a_second = price(price_at, {1'000'000});
    ASSERT_LE(most, std::max(cost + cost, cost + a_second)) << "story " << story << ", " << all;
    ASSERT_LE(most, price(price_at, {all + terms.hold_step})) << "story " << story << ", " << all;
  }
}

TEST(charge, all_there_is_is_held_to_the_last_credit) {
  conversation{call_of(tts(), seconds(1))}
      .expect_reserve(1_credits)
      .expect_forward()
      .metered(seconds(7), true)
      .expect_growth(7_credits, 7_credits)
      .expect_wait()
      .metered(seconds(7), true)
      .expect_wait()
      .ended(stream_end::accepted, seconds(7))
      .expect_settle(7_credits, 7'000'000)
      .expect_done(7_credits)
      .hold();
}

// A step that is too large does not end the call: the usage so far may still be covered.
TEST(charge, a_hold_grows_by_the_exact_need_when_a_step_was_refused) {
  conversation{call_of(tts(), seconds(1))}
      .expect_reserve(1_credits)
      .expect_forward()
      .metered(seconds(1))
      .expect_growth(2_credits, 1_credits, outcome::insufficient_balance)
      .expect_wait()
      .metered(seconds(2))
      .expect_growth(2_credits, 2_credits)
      .expect_wait()
      .metered(seconds(3))
      .expect_growth(3_credits, 3_credits, outcome::insufficient_balance)
      .expect_wait()
      .metered(seconds(30))
      .expect_wait()
      .ended(stream_end::accepted, seconds(30))
      .expect_settle(30_credits, 30'000'000)  // usage is never dropped
      .expect_done(30_credits)
      .hold();
}

TEST(charge, is_exhausted_when_the_exact_need_was_refused) {
  charge money{call_of(tts(), seconds(1))};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 1_credits, 1_credits}});
  money.resume(charge::metered{seconds(2)});
  EXPECT_EQ(text_of(money.resume(
                charge::answered{{outcome::insufficient_balance, 4_credits, 0_credits}})),
            "apply extend " + std::string{money.agreed().id.text()} +
                " 2000000 admission 0 timeout 60000 needed 2000000");
  EXPECT_FALSE(money.exhausted());
  money.resume(charge::answered{{outcome::insufficient_balance, 2_credits, 0_credits}});
  EXPECT_TRUE(money.exhausted());
  EXPECT_EQ(money.held(), 1_credits);
  EXPECT_TRUE(money.covers(seconds(1)));
  EXPECT_FALSE(money.covers(seconds(2)));
}

// A limit may stop a call that the balance would have covered: it is refused for the limit.
TEST(charge, is_exhausted_by_what_refused_the_exact_need) {
  charge money{call_of(tts(), seconds(1))};
  money.resume(charge::begin{});
  const rate_status rate{60, 100, 7, round_moment};
  money.resume(charge::answered{{outcome::held, 1_credits, 99_credits, rate}, round_moment});
  money.resume(charge::metered{seconds(9), true});
  const obstacle why{4_credits, round_moment, limit_scope::key, limit_window::hour, 4_credits};
  money.resume(
      charge::answered{{outcome::limit_reached, 9_credits, 99_credits, {}, why}, round_moment});
  EXPECT_TRUE(money.exhausted());
  EXPECT_EQ(money.refused_as(), outcome::limit_reached);
  EXPECT_EQ(money.obstacle_met(), why);
  EXPECT_EQ(money.rate(), rate);  // extensions have none; the reservation's remains
}

// Usage metered while an answer is awaited is processed when the answer arrives.
TEST(charge, what_is_metered_meanwhile_is_not_forgotten) {
  charge money{call_of(tts(), seconds(1))};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 1_credits, 99_credits}});
  money.resume(charge::metered{seconds(1)});
  EXPECT_EQ(text_of(money.resume(charge::metered{seconds(40)})), "wait");
  EXPECT_EQ(text_of(money.resume(charge::answered{{outcome::extended, 2_credits, 98_credits}})),
            "apply extend " + std::string{money.agreed().id.text()} +
                " 80000000 admission 0 timeout 60000 needed 40000000");
}

// While the store is unavailable, a request needs a new reason: otherwise requests would loop.
TEST(charge, a_store_that_fails_while_the_hold_grows_is_asked_again_when_more_is_metered) {
  charge money{call_of(tts(), seconds(1))};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 1_credits, 99_credits}});
  money.resume(charge::metered{seconds(1)});
  EXPECT_EQ(text_of(money.resume(charge::store_failed{})), "wait");
  EXPECT_EQ(text_of(money.resume(charge::metered{seconds(2)})),
            "apply extend " + std::string{money.agreed().id.text()} +
                " 4000000 admission 0 timeout 60000 needed 2000000");
}

}  // namespace
}  // namespace tollgate::quota
