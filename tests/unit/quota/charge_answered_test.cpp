// What the ledger is told once an answer has begun, and how a call continues if its hold was
// settled on expiry.
#include "quota/charge.hpp"
#include "tests/unit/quota/conversation.hpp"

namespace tollgate::quota {
namespace {

constexpr use one_call{10_credits, 1, 0};

use audio(std::int64_t n) {
  return {price(tts(), seconds(n)), seconds(n).amount, billed_us(tts(), seconds(n))};
}

TEST(charge_answered, a_renewal_says_what_to_settle_a_hold_at) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .renewal_due()
      .expect_renewal(10_credits)
      .expect_wait()
      .begun()
      .expect_wait()
      .renewal_due()
      .expect_extension(10_credits, {}, one_call)
      .expect_wait()
      .ended(stream_end::accepted)
      .expect_settle(10_credits)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

TEST(charge_answered, what_is_metered_is_said_with_every_extension) {
  conversation{call_of(tts(), seconds(0))}
      .expect_reserve(0_credits)
      .expect_forward()
      .begun(seconds(0))
      .metered(seconds(4))
      .expect_extension(8_credits, 4_credits, audio(4))
      .expect_wait()
      .metered(seconds(5))
      .expect_wait()
      .renewal_due()
      .expect_extension(8_credits, {}, audio(5))
      .expect_wait()
      .ended(stream_end::accepted, seconds(6))
      .expect_settle(6_credits, seconds(6).amount)
      .expect_done(6_credits)
      .hold();
}

// The store was unavailable for longer than the hold lasts: the agreed amount is charged, and only
// once.
TEST(charge_answered, a_call_that_was_settled_on_expiry_is_not_charged_again) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .begun()
      .ended(stream_end::accepted)
      .expect_settle_of_settled(one_call, one_call)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

TEST(charge_answered, a_call_goes_on_without_a_hold_when_all_of_it_is_charged) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .begun()
      .renewal_due()
      .expect_extension_of_settled(10_credits, one_call, one_call)
      .expect_wait()
      .renewal_due()
      .expect_wait()
      .ended(stream_end::accepted)
      .expect_done(10_credits)
      .hold();
}

TEST(charge_answered, more_seconds_are_charged_under_a_successor) {
  conversation{call_of(tts(), seconds(0))}
      .expect_reserve(0_credits)
      .expect_forward()
      .begun(seconds(0))
      .metered(seconds(4))
      .expect_extension(8_credits, 4_credits, audio(4))
      .expect_wait()
      .ended(stream_end::accepted, seconds(7))
      .expect_settle_of_settled(audio(7), audio(4))
      .under_successor()
      .expect_reserve_owed(3_credits)
      .expect_settle(audio(3))
      .expect_done(7_credits)
      .hold();
}

TEST(charge_answered, a_call_goes_on_with_a_hold_for_the_rest) {
  conversation{call_of(tts(), seconds(0))}
      .expect_reserve(0_credits)
      .expect_forward()
      .begun(seconds(0))
      .metered(seconds(4))
      .expect_extension(8_credits, 4_credits, audio(4))
      .expect_wait()
      .renewal_due()
      .expect_extension_of_settled(8_credits, audio(4), audio(4))
      .under_successor()
      .expect_reserve_owed(4_credits)
      .expect_wait()
      .metered(seconds(10))
      .expect_extension(16_credits, 6_credits, audio(6))
      .expect_wait()
      .ended(stream_end::accepted, seconds(12))
      .expect_settle(audio(8))
      .expect_done(12_credits)
      .hold();
}

// A settlement of zero would count as another call.
TEST(charge_answered, a_rest_that_was_not_used_is_voided) {
  conversation{call_of(tts(), seconds(0))}
      .expect_reserve(0_credits)
      .expect_forward()
      .begun(seconds(0))
      .metered(seconds(4))
      .expect_extension(8_credits, 4_credits, audio(4))
      .expect_wait()
      .renewal_due()
      .expect_extension_of_settled(8_credits, audio(4), audio(4))
      .under_successor()
      .expect_reserve_owed(4_credits)
      .expect_wait()
      .ended(stream_end::accepted, seconds(4))
      .expect_void()
      .expect_done(4_credits)
      .hold();
}

TEST(charge_answered, what_has_been_charged_stays_charged) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .begun()
      .ended(stream_end::stream_error)
      .expect_void(outcome::settled_on_expiry)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

// The sidecar that replays a journal does not know the amount charged on expiry.
TEST(charge_answered, a_recovered_charge_asks_for_the_rest) {
  auto terms = call_of(tts(), seconds(7));
  auto money = charge::recovered(terms);
  auto action = money.resume(charge::ended{stream_end::accepted, seconds(7)});
  EXPECT_EQ(text_of(action),
            "apply " + describe(operation{
                           settle{terms.id, 7_credits, seconds(7).amount, audio(7).billed_us}}));
  answer reply{outcome::settled_on_expiry, 4_credits, 90_credits};
  reply.charged = audio(4);
  action = money.resume(charge::answered{reply, round_moment});
  const auto next = terms.id.successor();
  EXPECT_EQ(text_of(action),
            "apply " + describe(operation{reserve{next, 3_credits, terms.hold_timeout,
                                                  admission::owed, terms.request_id, terms.who}}));
  // That hold, too, belonged to a sidecar that is gone, and was settled on expiry.
  reply.amount = 2_credits;
  reply.charged = audio(2);
  action = money.resume(charge::answered{reply, round_moment});
  action = money.resume(charge::answered{{outcome::held, 1_credits, 90_credits}, round_moment});
  EXPECT_EQ(text_of(action),
            "apply " + describe(operation{settle{next.successor(), 1_credits, seconds(1).amount,
                                                 audio(1).billed_us}}));
  action = money.resume(charge::answered{{outcome::settled, 1_credits, 90_credits}, round_moment});
  EXPECT_EQ(text_of(action), "done 7");
}

// The journal has the id to begin with: a replay that began with the successor would charge
// everything once more.
TEST(charge_answered, who_recovers_it_begins_where_the_first_part_was_charged) {
  charge money{call_of(tts(), seconds(0))};
  const auto first = money.agreed().id;
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 0_credits, 90_credits}, round_moment});
  money.resume(charge::begun{seconds(0)});
  money.resume(charge::metered{seconds(4)});
  money.resume(charge::answered{{outcome::extended, 8_credits, 90_credits}, round_moment});
  money.resume(charge::renewal_due{});
  answer reply{outcome::settled_on_expiry, 4_credits, 90_credits};
  reply.charged = audio(4);
  EXPECT_TRUE(text_of(money.resume(charge::answered{reply, round_moment}))
                  .starts_with("apply reserve " + std::string{first.successor().text()}));
  money.resume(charge::answered{{outcome::held, 4_credits, 90_credits}, round_moment});
  EXPECT_EQ(money.held_as(), first);
}

}  // namespace
}  // namespace tollgate::quota
