#include "quota/charge.hpp"

#include "tests/unit/quota/conversation.hpp"

namespace tollgate::quota {
namespace {

TEST(charge, a_call_is_held_forwarded_and_settled) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .ended(stream_end::accepted)
      .expect_settle(10_credits)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

TEST(charge, knows_what_is_left_while_the_call_runs) {
  charge money{call_of(gpt_4())};
  EXPECT_EQ(money.estimate(), 10_credits);
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held_beyond_balance, 10_credits, -4_credits}});
  EXPECT_EQ(money.available(), -4_credits);
  EXPECT_TRUE(money.beyond_balance());
}

TEST(charge, hands_out_what_refused_it_and_the_request_rate) {
  charge money{call_of(gpt_4())};
  money.resume(charge::begin{});
  EXPECT_FALSE(money.rate());
  const rate_status rate{60, 100, 7, round_moment};
  const obstacle why{3_credits, round_moment, limit_scope::agent, limit_window::day, 50_credits};
  money.resume(
      charge::answered{{outcome::limit_reached, 10_credits, 90_credits, rate, why}, round_moment});
  EXPECT_EQ(money.refused_as(), outcome::limit_reached);
  EXPECT_EQ(money.obstacle_met(), why);
  EXPECT_EQ(money.rate(), rate);
}

TEST(charge, a_refused_call_is_over) {
  for (const auto why : {outcome::insufficient_balance, outcome::suspended, outcome::out_of_range,
                         outcome::rate_limited, outcome::cap_reached, outcome::limit_reached}) {
    conversation{call_of(gpt_4())}.expect_reserve(10_credits, why).expect_refuse(why).hold();
  }
}

TEST(charge, a_critical_call_is_forwarded_beyond_the_balance) {
  auto terms = call_of(gpt_4());
  terms.admit = admission::critical;
  conversation{terms}
      .expect_reserve(10_credits, outcome::held_beyond_balance)
      .expect_forward()
      .ended(stream_end::accepted)
      .expect_settle(10_credits)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

TEST(charge, the_same_reservation_twice_is_one_hold) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits, outcome::exists)
      .expect_forward()
      .ended(stream_end::accepted)
      .expect_settle(10_credits)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

// A hold of another call under that id is neither forwarded under it nor voided.
TEST(charge, an_id_that_is_taken_is_not_used) {
  for (const auto taken : {outcome::exists_with_different_amount, outcome::already_settled,
                           outcome::already_voided, outcome::expired, outcome::not_found}) {
    conversation{call_of(gpt_4())}.expect_reserve(10_credits, taken).expect_refuse(taken).hold();
  }
}

// The store's clock has jumped ahead by days since the id was made: an id made from the store's
// present time is accepted.
TEST(charge, an_id_that_is_too_old_is_replaced_once) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits, outcome::forgotten)
      .under_one_of_now()
      .expect_reserve(10_credits)
      .expect_forward()
      .ended(stream_end::accepted)
      .expect_settle(10_credits)
      .expect_done(10_credits)
      .hold();
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits, outcome::forgotten)
      .under_one_of_now()
      .expect_reserve(10_credits, outcome::forgotten)
      .expect_refuse(outcome::forgotten)
      .hold();
}

TEST(charge, what_is_charged_is_what_was_used) {
  conversation{call_of(tts(), seconds(30))}
      .expect_reserve(30_credits)
      .expect_forward()
      .ended(stream_end::accepted, seconds(12))
      .expect_settle(12_credits, 12'000'000)
      .expect_done(12_credits)
      .hold_failing_at_every_step();
  conversation{call_of(tts(), seconds(30))}
      .expect_reserve(30_credits)
      .expect_forward()
      .ended(stream_end::accepted, seconds(45))  // more than held
      .expect_settle(45_credits, 45'000'000)
      .expect_done(45_credits)
      .hold_failing_at_every_step();
}

struct end_case {
  stream_end how;
  resolution expected;
};

TEST(charge, every_way_to_end_has_its_default) {
  for (const auto& [how, expected] : {end_case{stream_end::not_sent, resolution::void_hold},
                                      {stream_end::refused, resolution::void_hold},
                                      {stream_end::accepted, resolution::settle},
                                      {stream_end::upstream_failed, resolution::settle},
                                      {stream_end::no_answer, resolution::void_hold},
                                      {stream_end::client_gone_early, resolution::void_hold},
                                      {stream_end::client_gone_waiting, resolution::settle},
                                      {stream_end::client_gone, resolution::settle},
                                      {stream_end::cut, resolution::settle},
                                      {stream_end::redirected, resolution::void_hold},
                                      {stream_end::stream_error, resolution::void_hold},
                                      {stream_end::empty, resolution::void_hold}}) {
    SCOPED_TRACE(to_string(how));
    auto spoken =
        conversation{call_of(gpt_4())}.expect_reserve(10_credits).expect_forward().ended(how);
    if (expected == resolution::settle) {
      spoken.expect_settle(10_credits).expect_done(10_credits).hold_failing_at_every_step();
    } else {
      spoken.expect_void().expect_done(0_credits).hold_failing_at_every_step();
    }
  }
}

TEST(charge, a_route_may_decide_otherwise_but_not_about_what_was_never_sent) {
  constexpr auto settle = resolution::settle, none = resolution::void_hold;
  const settlement_policy greedy{settle, settle, settle, settle, settle,
                                 settle, settle, settle, settle};
  const settlement_policy generous{none, none, none, none, none, none, none, none, none};
  for (const auto how :
       {stream_end::refused, stream_end::upstream_failed, stream_end::no_answer,
        stream_end::client_gone_early, stream_end::client_gone_waiting, stream_end::client_gone,
        stream_end::redirected, stream_end::stream_error, stream_end::empty}) {
    EXPECT_EQ(resolve(greedy, how), resolution::settle) << to_string(how);
    EXPECT_EQ(resolve(generous, how), resolution::void_hold) << to_string(how);
  }
  EXPECT_EQ(resolve(greedy, stream_end::not_sent), resolution::void_hold);
  EXPECT_EQ(resolve(generous, stream_end::accepted), resolution::settle);
}

TEST(charge, a_hold_is_renewed_while_its_call_runs) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .renewal_due()
      .expect_renewal(10_credits)
      .expect_wait()
      .renewal_due()
      .expect_renewal(10_credits)
      .expect_wait()
      .ended(stream_end::accepted)
      .expect_settle(10_credits)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

TEST(charge, a_call_that_ends_during_a_renewal_is_settled_after_it) {
  charge money{call_of(gpt_4())};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 10_credits, 0_credits}});
  money.resume(charge::renewal_due{});
  EXPECT_EQ(text_of(money.resume(charge::ended{stream_end::accepted, {1}})), "wait");
  EXPECT_EQ(text_of(money.resume(charge::answered{{outcome::extended, 10_credits, 0_credits}})),
            "apply settle " + std::string{money.agreed().id.text()} + " 10000000 used 1");
}

TEST(charge, a_call_that_ends_while_reserving_is_voided_unsent) {
  for (const auto how : {stream_end::client_gone_early, stream_end::accepted}) {
    charge money{call_of(gpt_4())};
    money.resume(charge::begin{});
    EXPECT_EQ(text_of(money.resume(charge::ended{how, {1}})), "wait");
    EXPECT_EQ(text_of(money.resume(charge::answered{{outcome::held, 10_credits, 0_credits}})),
              "apply void " + std::string{money.agreed().id.text()});
    EXPECT_EQ(text_of(money.resume(charge::answered{{outcome::voided, 10_credits, 0_credits}})),
              "done 0");
  }
}

TEST(charge, a_repeated_settlement_counts_once) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .ended(stream_end::accepted)
      .expect_settle(10_credits, 1, outcome::already_settled)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

TEST(charge, a_hold_that_somebody_voided_is_not_charged) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .ended(stream_end::accepted)
      .expect_settle(10_credits, 1, outcome::already_voided)
      .expect_done(0_credits)
      .hold_failing_at_every_step();
}

TEST(charge, a_void_is_done_however_it_is_answered) {
  for (const auto result : {outcome::voided, outcome::already_voided, outcome::expired,
                            outcome::not_found, outcome::forgotten}) {
    conversation{call_of(gpt_4())}
        .expect_reserve(10_credits)
        .expect_forward()
        .ended(stream_end::refused)
        .expect_void(result)
        .expect_done(0_credits)
        .hold_failing_at_every_step();
  }
}

TEST(charge, what_was_used_is_charged_late_when_the_hold_expired) {
  for (const auto gone : {outcome::expired, outcome::not_found}) {
    conversation{call_of(tts(), seconds(30))}
        .expect_reserve(30_credits)
        .expect_forward()
        .ended(stream_end::client_gone, seconds(12))
        .expect_settle(12_credits, 12'000'000, gone)
        .under_successor()
        .expect_reserve_owed(12_credits)
        .expect_settle(12_credits, 12'000'000)
        .expect_done(12_credits)
        .hold_failing_at_every_step();
  }
}

TEST(charge, a_late_charge_is_made_once) {
  const auto late = [] {
    return conversation{call_of(gpt_4())}
        .expect_reserve(10_credits)
        .expect_forward()
        .ended(stream_end::accepted)
        .expect_settle(10_credits, 1, outcome::expired)
        .under_successor();
  };
  late().expect_reserve_owed(10_credits, outcome::already_settled).expect_done(10_credits).hold();
  for (const auto there : {outcome::exists, outcome::exists_with_different_amount}) {
    late()
        .expect_reserve_owed(10_credits, there)
        .expect_settle(10_credits)
        .expect_done(10_credits)
        .hold_failing_at_every_step();
  }
  for (const auto gone : {outcome::expired, outcome::already_voided, outcome::not_found}) {
    late()
        .expect_reserve_owed(10_credits, gone)
        .under_successor()
        .expect_reserve_owed(10_credits)
        .expect_settle(10_credits)
        .expect_done(10_credits)
        .hold_failing_at_every_step();
  }
  // The call lasted for days.
  late()
      .expect_reserve_owed(10_credits, outcome::forgotten)
      .under_one_a_day_later()
      .expect_reserve_owed(10_credits, outcome::forgotten)
      .under_one_a_day_later()
      .expect_reserve_owed(10_credits)
      .expect_settle(10_credits)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

TEST(charge, a_late_hold_that_expires_in_turn_is_followed_by_another) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .ended(stream_end::accepted)
      .expect_settle(10_credits, 1, outcome::expired)
      .under_successor()
      .expect_reserve_owed(10_credits)
      .expect_settle(10_credits, 1, outcome::expired)
      .under_successor()
      .expect_reserve_owed(10_credits, outcome::held_beyond_balance)
      .expect_settle(10_credits)
      .expect_done(10_credits)
      .hold_failing_at_every_step();
}

// After days, the ledger cannot know whether it was charged already.
TEST(charge, what_is_forgotten_is_not_charged_twice) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .ended(stream_end::accepted)
      .expect_settle(10_credits, 1, outcome::forgotten)
      .expect_done(0_credits)
      .hold_failing_at_every_step();
}

TEST(charge, a_call_that_outlives_its_hold_goes_on_under_another) {
  for (const auto gone : {outcome::expired, outcome::not_found, outcome::forgotten}) {
    conversation{call_of(gpt_4())}
        .expect_reserve(10_credits)
        .expect_forward()
        .renewal_due()
        .expect_renewal(10_credits, gone)
        .under_successor()
        .expect_reserve_owed(10_credits)
        .expect_wait()
        .renewal_due()
        .expect_renewal(10_credits)
        .expect_wait()
        .ended(stream_end::accepted)
        .expect_settle(10_credits)
        .expect_done(10_credits)
        .hold();
  }
}

// The call lasted longer than the ledger's memory.
TEST(charge, a_call_of_days_that_outlives_its_hold_goes_on_under_one_that_is_young_enough) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .renewal_due()
      .expect_renewal(10_credits, outcome::expired)
      .under_successor()
      .expect_reserve_owed(10_credits, outcome::forgotten)
      .under_one_a_day_later()
      .expect_reserve_owed(10_credits)
      .expect_wait()
      .ended(stream_end::accepted)
      .expect_settle(10_credits)
      .expect_done(10_credits)
      .hold();
}

TEST(charge, one_that_could_not_even_be_reserved_is_charged_all_the_same) {
  charge money{call_of(gpt_4())};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 10_credits, 0_credits}});
  money.resume(charge::renewal_due{});
  money.resume(charge::answered{{outcome::expired, 10_credits, 0_credits}});
  money.resume(charge::store_failed{});
  EXPECT_EQ(money.held_as(), money.agreed().id);
  const auto next = money.agreed().id.successor();
  EXPECT_EQ(text_of(money.resume(charge::ended{stream_end::accepted, {1}})),
            "apply settle " + std::string{next.text()} + " 10000000 used 1");
  EXPECT_TRUE(text_of(money.resume(charge::answered{{outcome::forgotten, 0_credits, 0_credits}}))
                  .starts_with("apply reserve " + std::string{next.a_day_later().text()}));
}

TEST(charge, a_lost_replacement_is_found_out_at_the_end) {
  charge money{call_of(gpt_4())};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 10_credits, 0_credits}});
  money.resume(charge::renewal_due{});
  const auto next = money.agreed().id.successor();
  EXPECT_TRUE(text_of(money.resume(charge::answered{{outcome::expired, 10_credits, 0_credits},
                                                    round_moment}))
                  .starts_with("apply reserve " + std::string{next.text()}));
  EXPECT_EQ(text_of(money.resume(charge::store_failed{})), "wait");
  EXPECT_EQ(text_of(money.resume(charge::ended{stream_end::accepted, {1}})),
            "apply settle " + std::string{next.text()} + " 10000000 used 1");
}

TEST(charge, more_than_an_account_can_hold_is_cut_to_what_was_held) {
  conversation{call_of(tts(), seconds(30))}
      .expect_reserve(30_credits)
      .expect_forward()
      .ended(stream_end::accepted, {INT64_MAX})
      .expect_settle(credits::from_micro(credits::max_micro + 1), max_used, outcome::out_of_range)
      .expect_settle(30_credits, max_used)
      .expect_done(30_credits)
      .hold_failing_at_every_step();
}

TEST(charge, negative_use_is_no_use) {
  conversation{call_of(tts(), seconds(30))}
      .expect_reserve(30_credits)
      .expect_forward()
      .ended(stream_end::accepted, {-5})
      .expect_settle(0_credits, 0)
      .expect_done(0_credits)
      .hold_failing_at_every_step();
}

TEST(charge, an_answer_to_another_question_is_no_answer) {
  conversation{call_of(gpt_4())}
      .expect_reserve(10_credits)
      .expect_forward()
      .ended(stream_end::accepted)
      .expect_settle(10_credits, 1, outcome::granted)
      .ended(stream_end::accepted)  // a second end has no effect
      .expect_wait()
      .hold();
}

TEST(charge, events_out_of_turn_change_nothing) {
  charge money{call_of(gpt_4())};
  EXPECT_EQ(text_of(money.resume(charge::renewal_due{})), "wait");
  EXPECT_EQ(text_of(money.resume(charge::answered{})), "wait");
  EXPECT_EQ(text_of(money.resume(charge::store_failed{})), "wait");
  money.resume(charge::begin{});
  EXPECT_EQ(text_of(money.resume(charge::begin{})), "wait");
  EXPECT_EQ(text_of(money.resume(charge::renewal_due{})), "wait");
}

}  // namespace
}  // namespace tollgate::quota
