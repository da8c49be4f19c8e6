// A test reads as a conversation between a charge and the world, and is then replayed with the
// store failing at every step.
#include "quota/charge.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "tests/support/describe.hpp"

namespace tollgate::quota {
namespace {

using namespace literals;
using namespace std::chrono_literals;
using tests::describe;

constexpr time_point noon{milliseconds{1'700'000'000'000}};

rate gpt_4() {
  return {"gpt-4", 10_credits};
}
rate tts() {
  return {"tts", 60_credits, unit::minute, meter_kind::response_audio, 1'000'000};
}
usage seconds(std::int64_t n) {
  return {n * 1'000'000};
}

charge::terms call_of(rate price_at, usage estimated = {1}) {
  charge::terms terms;
  terms.id = hold_id::make(noon, 1, 2);
  terms.price_at = std::move(price_at);
  terms.estimated = estimated;
  terms.request_id = "req-1";
  terms.who = {"chat", "llm", "gpt-4", "a1", "c1", "key_1"};
  return terms;
}

std::string text_of(const charge::action& action) {
  struct visitor {
    std::string operator()(const charge::apply& what) { return "apply " + describe(what.what); }
    std::string operator()(const charge::forward&) { return "forward"; }
    std::string operator()(const charge::refuse& what) {
      return "refuse " + std::string{to_string(what.why)};
    }
    std::string operator()(const charge::refuse_unavailable& what) {
      return "refuse_unavailable " + describe(what.clean_up);
    }
    std::string operator()(const charge::retry& what) { return "retry " + describe(what.what); }
    std::string operator()(const charge::wait&) { return "wait"; }
    std::string operator()(const charge::done& what) { return "done " + to_string(what.charged); }
  };
  return std::visit(visitor{}, action);
}

class conversation {
 public:
  explicit conversation(charge::terms terms) : terms_{std::move(terms)} {}

  // The charge asks for this operation; the ledger answers.
  conversation& expect(operation asked, outcome result, credits amount) {
    steps_.push_back({describe(asked), charge::answered{{result, amount, 90_credits}, noon}, true});
    return *this;
  }
  conversation& expect_reserve(credits amount, outcome result = outcome::held) {
    return expect(reservation(terms_.id, amount, terms_.admit), result, amount);
  }
  conversation& expect_renewal(credits amount, outcome result = outcome::extended) {
    return expect(extend{terms_.id, amount, terms_.hold_timeout, terms_.admit}, result, amount);
  }
  conversation& expect_settle(credits amount, std::int64_t used = 1,
                              outcome result = outcome::settled) {
    return expect(settle{terms_.id, amount, used}, result, amount);
  }
  conversation& expect_void(outcome result = outcome::voided) {
    return expect(void_hold{terms_.id}, result, 10_credits);
  }
  // What happened to the charge that it is said to have expired: it is gone on with under its
  // successor.
  conversation& under_successor() {
    terms_.id = terms_.id.successor(noon);
    return *this;
  }
  conversation& expect_reserve_owed(credits amount, outcome result = outcome::held) {
    return expect(reservation(terms_.id, amount, admission::owed), result, amount);
  }

  conversation& expect_forward() { return say("forward"); }
  conversation& expect_wait() { return say("wait"); }
  conversation& expect_refuse(outcome why) { return say("refuse " + std::string{to_string(why)}); }
  conversation& expect_done(credits charged) { return say("done " + to_string(charged)); }

  conversation& renewal_due() { return tell(charge::renewal_due{}); }
  conversation& metered(usage so_far, bool final = false) {
    return tell(charge::metered{so_far, final});
  }
  conversation& ended(stream_end how, usage used = {1}) { return tell(charge::ended{how, used}); }

  void hold() const { replay(steps_.size()); }

  // The answer to each operation in turn never arrives. A reservation is then refused and voided, a
  // renewal is let be, and everything else is asked again until the same end is reached.
  void hold_failing_at_every_step() const {
    hold();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i].is_operation) replay(i);
    }
  }

 private:
  struct step {
    std::string expected;  // of the action before it; empty: whatever came is fine
    std::optional<charge::event> event;
    bool is_operation = false;
  };

  operation reservation(const hold_id& id, credits amount, admission admit) const {
    return reserve{id, amount, terms_.hold_timeout, admit, terms_.request_id, terms_.who};
  }

  conversation& say(std::string action) {
    steps_.push_back({std::move(action), std::nullopt});
    return *this;
  }
  conversation& tell(charge::event event) {
    steps_.push_back({"", std::move(event)});
    return *this;
  }

  void replay(std::size_t failing) const {
    SCOPED_TRACE(failing < steps_.size() ? "failing at step " + std::to_string(failing)
                                         : "no failure");
    auto terms = terms_;
    terms.id = hold_id::make(noon, 1, 2);
    charge money{terms};
    auto action = money.resume(charge::begin{});
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const auto& step = steps_[i];
      const auto expected = step.is_operation ? "apply " + step.expected : step.expected;
      if (!expected.empty()) {
        ASSERT_EQ(text_of(action), expected) << "at step " << i;
      }
      if (i == failing && !survives(money, action, step)) return;
      if (i == failing && !std::holds_alternative<charge::retry>(action)) continue;
      if (step.event) action = money.resume(*step.event);
    }
  }

  // False: the conversation ends here, as it should.
  static bool survives(charge& money, charge::action& action, const step& step) {
    action = money.resume(charge::store_failed{});
    if (step.expected.starts_with("reserve") && text_of(action).starts_with("refuse_unavailable")) {
      EXPECT_EQ(text_of(action),
                "refuse_unavailable void " + std::string{money.agreed().id.text()});
      return false;
    }
    if (step.expected.starts_with("extend")) {
      EXPECT_EQ(text_of(action), "wait");
      return true;
    }
    EXPECT_EQ(text_of(action), "retry " + step.expected);
    for (int i = 0; i < 3; ++i) {  // for ever, if need be
      action = money.resume(charge::store_failed{});
      EXPECT_EQ(text_of(action), "retry " + step.expected);
    }
    return true;
  }

  charge::terms terms_;
  std::vector<step> steps_;
};

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

TEST(charge, a_refused_call_is_over) {
  for (const auto why :
       {outcome::insufficient_balance, outcome::suspended, outcome::out_of_range}) {
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

// Whatever else holds under that id is not ours: neither forwarded under it, nor voided.
TEST(charge, an_id_that_is_taken_is_not_used) {
  for (const auto taken :
       {outcome::exists_with_different_amount, outcome::already_settled, outcome::already_voided,
        outcome::expired, outcome::not_found, outcome::forgotten}) {
    conversation{call_of(gpt_4())}.expect_reserve(10_credits, taken).expect_refuse(taken).hold();
  }
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
                                      {stream_end::client_gone, resolution::settle}}) {
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
  const settlement_policy greedy{resolution::settle, resolution::settle, resolution::settle,
                                 resolution::settle, resolution::settle};
  const settlement_policy generous{resolution::void_hold, resolution::void_hold,
                                   resolution::void_hold, resolution::void_hold,
                                   resolution::void_hold};
  for (const auto how : {stream_end::refused, stream_end::upstream_failed, stream_end::no_answer,
                         stream_end::client_gone_early, stream_end::client_gone}) {
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
  for (const auto gone : {outcome::expired, outcome::already_voided, outcome::forgotten}) {
    late()
        .expect_reserve_owed(10_credits, gone)
        .under_successor()
        .expect_reserve_owed(10_credits)
        .expect_settle(10_credits)
        .expect_done(10_credits)
        .hold_failing_at_every_step();
  }
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

// After days, nobody can tell whether it was charged already.
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

TEST(charge, a_lost_replacement_is_found_out_at_the_end) {
  charge money{call_of(gpt_4())};
  money.resume(charge::begin{});
  money.resume(charge::answered{{outcome::held, 10_credits, 0_credits}});
  money.resume(charge::renewal_due{});
  const auto next = money.agreed().id.successor(noon);
  EXPECT_TRUE(
      text_of(money.resume(charge::answered{{outcome::expired, 10_credits, 0_credits}, noon}))
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
      .ended(stream_end::accepted)  // and a second end is none
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
