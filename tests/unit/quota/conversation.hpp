// A test of a charge is written as a conversation between the charge and its environment, and is
// then replayed with the store failing at every step.
#pragma once

#include <functional>

#include <gtest/gtest.h>

#include "quota/charge.hpp"
#include "tests/support/describe.hpp"
#include "tests/support/moments.hpp"

namespace tollgate::quota {

using namespace literals;
using namespace std::chrono_literals;
using tests::describe;

using tests::round_moment;

inline rate gpt_4() {
  return {"gpt-4", 10_credits};
}
inline rate tts() {
  return {"tts", 60_credits, unit::minute, meter_kind::response_audio, 1'000'000};
}
inline usage seconds(std::int64_t n) {
  return {n * 1'000'000};
}

inline charge::terms call_of(rate price_at, usage estimated = {1}) {
  charge::terms terms;
  terms.id = hold_id::make(round_moment, 1, 2);
  terms.price_at = std::move(price_at);
  terms.estimated = estimated;
  terms.request_id = "req-1";
  terms.who = {"chat", "llm", "gpt-4", "a1", "c1", "key_1"};
  return terms;
}

inline std::string text_of(const charge::action& action) {
  struct visitor {
    std::string operator()(const charge::apply& what) { return "apply " + describe(what.what); }
    std::string operator()(const charge::forward&) { return "forward"; }
    std::string operator()(const charge::refuse& what) {
      return "refuse " + std::string{to_string(what.why)};
    }
    std::string operator()(const charge::refuse_unavailable& what) {
      return what.clean_up ? "refuse_unavailable " + describe(*what.clean_up)
                           : "refuse_unavailable";
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

  // The charge requests this operation; the ledger answers.
  conversation& expect(operation asked, outcome result, credits amount) {
    steps_.push_back(
        {describe(asked), charge::answered{{result, amount, 90_credits}, round_moment}, true});
    return *this;
  }
  conversation& expect(operation asked, answer reply) {
    steps_.push_back({describe(asked), charge::answered{std::move(reply), round_moment}, true});
    return *this;
  }
  // Once the answer has begun, every extension of the hold includes the amount at which to settle
  // it.
  conversation& expect_extension(credits amount, std::optional<credits> needed, use answered,
                                 outcome result = outcome::extended) {
    return expect(extend{terms_.id, amount, terms_.hold_timeout, terms_.admit, needed, answered},
                  result, amount);
  }
  conversation& expect_extension_of_settled(credits amount, use answered, use charged) {
    answer reply{outcome::settled_on_expiry, charged.amount, 90_credits};
    reply.charged = charged;
    return expect(extend{terms_.id, amount, terms_.hold_timeout, terms_.admit, {}, answered},
                  reply);
  }
  conversation& expect_settle_of_settled(use asked, use charged) {
    answer reply{outcome::settled_on_expiry, charged.amount, 90_credits};
    reply.charged = charged;
    return expect(settle{terms_.id, asked.amount, asked.used, asked.billed_us}, reply);
  }
  conversation& expect_settle(use what, outcome result = outcome::settled) {
    return expect(settle{terms_.id, what.amount, what.used, what.billed_us}, result, what.amount);
  }
  conversation& expect_reserve(credits amount, outcome result = outcome::held) {
    return expect(reservation(terms_.id, amount, terms_.admit), result, amount);
  }
  conversation& expect_renewal(credits amount, outcome result = outcome::extended) {
    return expect(extend{terms_.id, amount, terms_.hold_timeout, terms_.admit}, result, amount);
  }
  conversation& expect_growth(credits amount, credits needed, outcome result = outcome::extended) {
    return expect(extend{terms_.id, amount, terms_.hold_timeout, terms_.admit, needed}, result,
                  amount);
  }
  conversation& expect_settle(credits amount, std::int64_t used = 1,
                              outcome result = outcome::settled) {
    return expect(settle{terms_.id, amount, used, billed_us(terms_.price_at, {used})}, result,
                  amount);
  }
  conversation& expect_void(outcome result = outcome::voided) {
    return expect(void_hold{terms_.id}, result, 10_credits);
  }
  // The hold has expired: the charge continues under its successor.
  conversation& under_successor() { return under(terms_.id.successor()); }
  // The id is too old for the hold to exist.
  conversation& under_one_a_day_later() { return under(terms_.id.a_day_later()); }
  // The same, and nothing has been charged under it.
  conversation& under_one_of_now() { return under(terms_.id.made_again(round_moment)); }
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
  conversation& begun(usage so_far = {1}) { return tell(charge::begun{so_far}); }
  conversation& ended(stream_end how, usage used = {1}) { return tell(charge::ended{how, used}); }

  void hold() const { replay(steps_.size()); }

  // The answer to each operation in turn never arrives. A reservation is then refused and voided, a
  // renewal is skipped, and everything else is repeated until the same end is reached.
  void hold_failing_at_every_step() const {
    hold();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i].is_operation) replay(i);
    }
  }

 private:
  struct step {
    std::string expected;  // of the action before it; empty: any
    std::optional<charge::event> event;
    bool is_operation = false;
  };

  conversation& under(const hold_id& next) {
    terms_.id = next;
    return *this;
  }

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
    terms.id = hold_id::make(round_moment, 1, 2);
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

  // False: the conversation ends here, as expected.
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
    for (int i = 0; i < 3; ++i) {  // repeated without limit
      action = money.resume(charge::store_failed{});
      EXPECT_EQ(text_of(action), "retry " + step.expected);
    }
    return true;
  }

  charge::terms terms_;
  std::vector<step> steps_;
};

}  // namespace tollgate::quota
