// Holds that grow with what is metered.
#include "tests/unit/quota/conversation.hpp"

namespace tollgate::quota {
namespace {

// Half a step ahead of need, by steps of 15, 30, 60 seconds.
TEST(charge, a_hold_grows_ahead_of_what_is_metered) {
  conversation{call_of(tts(), seconds(10))}
      .expect_reserve(10_credits)
      .expect_forward()
      .metered(seconds(2))
      .expect_wait()
      .metered(seconds(3))
      .expect_renewal(18_credits)
      .expect_wait()
      .metered(seconds(4))
      .expect_renewal(34_credits)
      .expect_wait()
      .metered(seconds(4))
      .expect_wait()
      .ended(stream_end::accepted, seconds(5))
      .expect_settle(5_credits, 5'000'000)
      .expect_done(5_credits)
      .hold();
}

TEST(charge, all_there_is_is_held_to_the_last_credit) {
  conversation{call_of(tts(), seconds(1))}
      .expect_reserve(1_credits)
      .expect_forward()
      .metered(seconds(7), true)
      .expect_renewal(7_credits)
      .expect_wait()
      .metered(seconds(7), true)
      .expect_wait()
      .ended(stream_end::accepted, seconds(7))
      .expect_settle(7_credits, 7'000'000)
      .expect_done(7_credits)
      .hold();
}

// A step too large is no reason to stop: what has been used may still be covered.
TEST(charge, a_hold_grows_by_the_exact_need_when_a_step_was_refused) {
  conversation{call_of(tts(), seconds(1))}
      .expect_reserve(1_credits)
      .expect_forward()
      .metered(seconds(1))
      .expect_renewal(16_credits, outcome::insufficient_balance)
      .expect_wait()
      .metered(seconds(2))
      .expect_renewal(2_credits)
      .expect_wait()
      .metered(seconds(3))
      .expect_renewal(3_credits, outcome::insufficient_balance)
      .expect_wait()
      .metered(seconds(30))
      .expect_wait()
      .ended(stream_end::accepted, seconds(30))
      .expect_settle(30_credits, 30'000'000)  // what was used is never dropped
      .expect_done(30_credits)
      .hold();
}

TEST(charge, is_exhausted_when_the_exact_need_was_refused) {
  charge money{call_of(tts(), seconds(1))};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 1_credits, 1_credits}});
  money.resume(charge::metered{seconds(2)});
  EXPECT_EQ(text_of(money.resume(
                charge::answered{{outcome::insufficient_balance, 17_credits, 0_credits}})),
            "apply extend " + std::string{money.agreed().id.text()} +
                " 2000000 admission 0 timeout 60000");
  EXPECT_FALSE(money.exhausted());
  money.resume(charge::answered{{outcome::insufficient_balance, 2_credits, 0_credits}});
  EXPECT_TRUE(money.exhausted());
  EXPECT_EQ(money.held(), 1_credits);
  EXPECT_TRUE(money.covers(seconds(1)));
  EXPECT_FALSE(money.covers(seconds(2)));
}

// A limit may stop a call that the balance would have covered: it is refused as such.
TEST(charge, is_exhausted_by_what_refused_the_exact_need) {
  charge money{call_of(tts(), seconds(1))};
  money.resume(charge::begin{});
  const rate_status rate{60, 100, 7, noon};
  money.resume(charge::answered{{outcome::held, 1_credits, 99_credits, rate}, noon});
  money.resume(charge::metered{seconds(9), true});
  const obstacle why{4_credits, noon, limit_scope::key, limit_window::hour, 4_credits};
  money.resume(charge::answered{{outcome::limit_reached, 9_credits, 99_credits, {}, why}, noon});
  EXPECT_TRUE(money.exhausted());
  EXPECT_EQ(money.refused_as(), outcome::limit_reached);
  EXPECT_EQ(money.obstacle_met(), why);
  EXPECT_EQ(money.rate(), rate);  // extensions have none; that of the reservation stands
}

// What was metered while an answer was awaited is looked at when it has come.
TEST(charge, what_is_metered_meanwhile_is_not_forgotten) {
  charge money{call_of(tts(), seconds(1))};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 1_credits, 99_credits}});
  money.resume(charge::metered{seconds(1)});
  EXPECT_EQ(text_of(money.resume(charge::metered{seconds(40)})), "wait");
  EXPECT_EQ(text_of(money.resume(charge::answered{{outcome::extended, 16_credits, 84_credits}})),
            "apply extend " + std::string{money.agreed().id.text()} +
                " 70000000 admission 0 timeout 60000");
}

// With the store away nothing is asked until there is a reason: else it would be asked in a circle.
TEST(charge, a_store_that_fails_while_the_hold_grows_is_asked_again_when_more_is_metered) {
  charge money{call_of(tts(), seconds(1))};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 1_credits, 99_credits}});
  money.resume(charge::metered{seconds(1)});
  EXPECT_EQ(text_of(money.resume(charge::store_failed{})), "wait");
  EXPECT_EQ(text_of(money.resume(charge::metered{seconds(2)})),
            "apply extend " + std::string{money.agreed().id.text()} +
                " 32000000 admission 0 timeout 60000");
}

}  // namespace
}  // namespace tollgate::quota
