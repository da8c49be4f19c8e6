#include "quota/plan_text.hpp"

#include <gtest/gtest.h>

namespace tollgate::quota {
namespace {

using namespace literals;

plan_terms pro() {
  plan_terms terms;
  terms.plan = "pro";
  terms.allocation = 200'000_credits;
  terms.rollover_percent = 100;
  terms.rollover_cycles = 1;
  terms.usd_micro_per_credit = 10'000;
  terms.top_up_minimum_cents = 2'500;
  terms.requests_per_minute = 600;
  terms.burst = 1'000;
  return terms;
}

TEST(plan_text, terms_come_back_as_they_were) {
  EXPECT_EQ(to_text(pro()), "200000000000 100 1 10000 2500 600 1000 pro");
  EXPECT_EQ(to_text(plan_terms{}), "0 0 0 0 0 0 0 ");
  EXPECT_EQ(parse_plan_terms(to_text(pro())), pro());
  EXPECT_EQ(parse_plan_terms(to_text(plan_terms{})), plan_terms{});
}

TEST(plan_text, options_come_back_as_they_were) {
  account_options none;
  EXPECT_EQ(to_text(none), "1 -1 -1 -1 0");
  EXPECT_EQ(parse_account_options(to_text(none), ""), none);

  account_options all;
  all.overage = false;
  all.spend_cap_cents = 5'000;
  all.critical_overdraft = 0_credits;  // set to zero, which differs from not set
  all.top_up_threshold = 1'000_credits;
  all.top_up_cents = 2'500;
  EXPECT_EQ(to_text(all), "0 5000 0 1000000000 2500");
  EXPECT_EQ(parse_account_options(to_text(all), ""), all);
  all.top_up_fill = true;
  EXPECT_EQ(to_text(all), "0 5000 0 1000000000 2500 1");
  EXPECT_EQ(parse_account_options(to_text(all), ""), all);
  EXPECT_FALSE(parse_account_options("0 5000 0 1000000000 2500 2", ""));
  EXPECT_FALSE(parse_account_options("0 5000 0 1000000000 2500 1 1", ""));
}

TEST(plan_text, the_id_of_a_limit_may_contain_blanks) {
  account_options options;
  options.limits = {{limit_scope::agent, "my agent 7", 500_credits, limit_window::day},
                    {limit_scope::key, "*", 1_micro, limit_window::total}};
  EXPECT_EQ(limits_text(options.limits), "0 1 500000000 my agent 7\n2 3 1 *");
  EXPECT_EQ(limits_text({}), "");
  EXPECT_EQ(parse_account_options(to_text(options), limits_text(options.limits)), options);
}

TEST(plan_text, an_alert_may_be_of_somebody) {
  account_options options;
  options.alerts = {{alert_kind::allocation_percent, 80},
                    {alert_kind::credits_used, 7, limit_scope::key, "*"},
                    {alert_kind::allocation_percent, 5, limit_scope::agent, "my agent 7"}};
  EXPECT_EQ(alerts_text(options.alerts), "0 80\n2 7 2 *\n0 5 0 my agent 7");
  EXPECT_EQ(parse_account_options(to_text(options), "", alerts_text(options.alerts)), options);
  for (const auto* alerts :
       {"0", "0 ", "3 5", "0 80 ", "0 80 0", "0 80 0 ", "0 80 3 a", "0 80 a"}) {
    EXPECT_FALSE(parse_account_options("1 -1 -1 -1 0", "", alerts)) << alerts;
  }
}

TEST(plan_text, what_is_none_of_it_gives_nothing) {
  for (const auto* text : {"", "1", "1 2 3 4 5 6 7", "x 0 0 0 0 0 0 p", "-1 0 0 0 0 0 0 p",
                           "1  0 0 0 0 0 0 p", "1e3 0 0 0 0 0 0 p"}) {
    EXPECT_FALSE(parse_plan_terms(text)) << text;
  }
  for (const auto* text : {"", "1 -1 -1 -1", "2 -1 -1 -1 0", "1 -2 -1 -1 0", "1 -1 -1 -1 0 0",
                           "1 -1 -1 -1 -1", "1 -1 -1 -1 0 "}) {
    EXPECT_FALSE(parse_account_options(text, "")) << text;
  }
  for (const auto* limits :
       {"x", "3 0 1 a", "0 4 1 a", "0 0 -1 a", "0 0 1 ", "0 0 1", "0 0 1 a\n\n", "0 0 1 a\nb"}) {
    EXPECT_FALSE(parse_account_options("1 -1 -1 -1 0", limits)) << limits;
  }
}

}  // namespace
}  // namespace tollgate::quota
