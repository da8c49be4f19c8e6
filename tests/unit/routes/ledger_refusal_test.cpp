#include "routes/ledger_refusal.hpp"

#include <gtest/gtest.h>

#include "tests/support/moments.hpp"

namespace tollgate::routes {
namespace {

using namespace quota::literals;
using quota::outcome;

using tests::noon;
constexpr quota::time_point next_month{quota::milliseconds{1'769'904'000'000}};

std::string facts_of(const problem& problem) {
  std::string text;
  for (const auto& fact : problem.facts) {
    text += text.empty() ? "" : " ";
    text += fact.name + "=" + (fact.quote ? '"' + fact.value + '"' : fact.value);
  }
  return text;
}

TEST(insufficient_credits, says_what_is_short) {
  const auto p = to_problem({outcome::insufficient_balance, 10_credits, 3'500'000_micro});
  EXPECT_EQ(p.code, problem_code::insufficient_credits);
  EXPECT_EQ(
      p.message,
      "This call needs 10 credits and 3.5 are available: 6.5 credits short. Add credits to go on.");
  EXPECT_EQ(facts_of(p), "required_credits=10 available_credits=3.5 short_credits=6.5");
  EXPECT_FALSE(p.retry_after);  // a short wait does not help
  const auto below = to_problem({outcome::insufficient_balance, 100'000_micro, -2_credits});
  EXPECT_NE(below.message.find("-2 are available: 2.1 credits short"), std::string::npos)
      << below.message;
}

TEST(insufficient_credits, says_what_will_end_it) {
  ledger_refusal refusal{outcome::insufficient_balance, 10_credits, 3_credits};
  refusal.obstacle.room = 3_credits;
  refusal.obstacle.until = next_month;
  refusal.obstacle.top_up_open = true;
  const auto p = to_problem(refusal);
  EXPECT_EQ(
      p.message,
      "This call needs 10 credits and 3 are available: 7 credits short. Add credits to go on, "
      "or wait for the next cycle at 2026-02-01T00:00:00Z. A top-up is pending; its credits arrive "
      "with the payment.");
  EXPECT_EQ(facts_of(p),
            "required_credits=10 available_credits=3 short_credits=7 "
            "renews_at=\"2026-02-01T00:00:00Z\" top_up_pending=true");
}

TEST(insufficient_credits, counts_what_a_critical_call_may_go_below_zero) {
  ledger_refusal refusal{outcome::insufficient_balance, 10_credits, -95_credits};
  refusal.obstacle.room = 4_credits;
  EXPECT_EQ(facts_of(to_problem(refusal)),
            "required_credits=10 available_credits=-95 short_credits=6");
}

TEST(spend_cap_reached, says_which_cap_and_how_much_it_leaves) {
  ledger_refusal refusal{outcome::cap_reached, 10_credits, -2'494_credits};
  refusal.obstacle.room = 6_credits;
  refusal.obstacle.until = next_month;
  const auto p = to_problem(refusal);
  EXPECT_EQ(p.code, problem_code::spend_cap_reached);
  EXPECT_EQ(
      p.message,
      "This call needs 10 credits, and the spend cap of this cycle leaves 6: 4 credits short. "
      "Raise the cap to go on, or wait for the next cycle at 2026-02-01T00:00:00Z.");
  EXPECT_EQ(facts_of(p),
            "cap=\"spend_cap_usd\" required_credits=10 available_credits=-2494 room_credits=6 "
            "short_credits=4 renews_at=\"2026-02-01T00:00:00Z\"");
  EXPECT_FALSE(p.retry_after);
}

TEST(limit_reached, says_whose_limit_it_is) {
  ledger_refusal refusal{outcome::limit_reached, 10_credits, 900_credits};
  refusal.obstacle = {.room = 2_credits,
                      .until = noon + std::chrono::milliseconds{1},
                      .scope = quota::limit_scope::agent,
                      .per = quota::limit_window::day,
                      .most = 500_credits};
  refusal.whose = "a1";
  const auto p = to_problem(refusal);
  EXPECT_EQ(p.code, problem_code::limit_reached);
  EXPECT_EQ(p.message,
            "This call needs 10 credits, and the limit of agent \"a1\" (500 per day) leaves 2: 8 "
            "credits short. Raise the limit to go on, or wait until 2026-01-01T12:00:01Z.");
  EXPECT_EQ(facts_of(p),
            "scope=\"agent\" agent=\"a1\" per=\"day\" limit_credits=500 required_credits=10 "
            "room_credits=2 short_credits=8 resets_at=\"2026-01-01T12:00:01Z\"");
  EXPECT_FALSE(p.retry_after);
}

TEST(limit_reached, for_good_promises_nothing) {
  ledger_refusal refusal{outcome::limit_reached, 10_credits, 900_credits};
  refusal.obstacle.scope = quota::limit_scope::key;
  refusal.whose = "key_1";
  const auto p = to_problem(refusal);
  EXPECT_TRUE(p.message.ends_with("Raise the limit to go on.")) << p.message;
  EXPECT_NE(p.message.find("key \"key_1\" (0 in all)"), std::string::npos) << p.message;
  EXPECT_EQ(facts_of(p).find("resets_at"), std::string::npos);
}

TEST(rate_limited, says_when_to_come_back) {
  ledger_refusal refusal{outcome::rate_limited, 10_credits, 900_credits};
  refusal.rate = quota::rate_status{60, 100, 0, noon + std::chrono::seconds{100}};
  refusal.now = noon;
  for (const auto& [wait_ms, seconds] : {std::pair{1, 1}, {1'000, 1}, {1'001, 2}, {-500, 1}}) {
    refusal.obstacle.until = noon + std::chrono::milliseconds{wait_ms};
    const auto p = to_problem(refusal);
    EXPECT_EQ(p.code, problem_code::rate_limited);
    EXPECT_EQ(p.retry_after, std::chrono::seconds{seconds}) << wait_ms;
    EXPECT_EQ(facts_of(p),
              "limit_per_minute=60 burst=100 retry_after_seconds=" + std::to_string(seconds));
  }
  EXPECT_EQ(
      to_problem(refusal).message,
      "Too many requests: this organization may make 60 a minute, 100 at once. Try again in 1 "
      "second.");
}

TEST(suspended, needs_an_administrator) {
  EXPECT_EQ(to_problem({outcome::suspended, 10_credits, 0_credits}).code,
            problem_code::org_suspended);
}

TEST(anything_else, is_ours_to_explain) {
  const auto p = to_problem({outcome::forgotten, 10_credits, 0_credits});
  EXPECT_EQ(p.code, problem_code::internal_error);
  EXPECT_NE(p.message.find("forgotten"), std::string::npos);
}

}  // namespace
}  // namespace tollgate::routes
