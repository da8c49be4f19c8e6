// Command-line arguments, and the request body made from them.
#include "proxy/cli/org_arguments.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

std::string body(const org_arguments& given) {
  const auto made = body_of(given);
  if (const auto* error = std::get_if<command_error>(&made)) return error->message;
  return std::get<std::string>(made);
}

TEST(org_arguments, say_nothing_of_what_is_not_mentioned) {
  EXPECT_EQ(body({}), "{}");
}

TEST(org_arguments, say_everything) {
  org_arguments given;
  given.plan = "enterprise";
  given.plan_effective = "next_cycle";
  given.anchor = "2026-01-31";
  given.overage = "off";
  given.spend_cap = "50.25";
  given.auto_top_up = "1000:25.50";
  given.critical_overdraft = "7.5";
  given.stripe_customer = "cus_1";
  given.limits = {"agent=a:b/c=d:500/day", "key=*:0.5/hour"};
  given.alerts = {"50%", "spend-cap=90%", "credits=1000.5", "agent=a:b=c:20%", "key=*:500"};
  given.terms.credits = "1000000";
  given.terms.overage_usd = "0.005";
  given.terms.rollover = "50:3";
  given.terms.requests = "600:1000";
  EXPECT_EQ(
      body(given),
      R"({"plan":"enterprise","plan_effective":"next_cycle","cycle_anchor":"2026-01-31",)"
      R"("spend_cap_usd":"50.25","critical_overdraft_credits":"7.5","stripe_customer":"cus_1",)"
      R"("overage":false,"auto_top_up":{"threshold_credits":"1000","amount_usd":"25.50"},)"
      R"("limits":[{"agent":"a:b/c=d","credits":"500","per":"day"},)"
      R"({"key":"*","credits":"0.5","per":"hour"}],)"
      R"("alerts":[50,{"spend_cap_percent":90},{"credits":"1000.5"},)"
      R"({"agent":"a:b=c","percent":20},{"key":"*","credits":"500"}],)"
      R"("terms":{"credits":"1000000","overage_usd":"0.005",)"
      R"("rollover":{"up_to_percent":50,"cycles":3},)"
      R"("requests":{"per_minute":600,"burst":1000}}})");
}

TEST(org_arguments, have_words_for_nothing) {
  org_arguments given;
  given.plan = given.spend_cap = given.critical_overdraft = given.stripe_customer = "none";
  given.auto_top_up = "off";
  given.no_limits = given.no_alerts = true;
  EXPECT_EQ(body(given), R"({"plan":null,"spend_cap_usd":null,"critical_overdraft_credits":null,)"
                         R"("stripe_customer":null,"auto_top_up":null,"limits":[],"alerts":[]})");
}

TEST(org_arguments, that_are_malformed_are_shown_the_form) {
  const auto with = [](auto set) {
    org_arguments given;
    set(given);
    return body(given);
  };
  EXPECT_EQ(with([](auto& a) { a.overage = "yes"; }), "--overage takes on or off, not yes");
  EXPECT_EQ(with([](auto& a) { a.auto_top_up = "1000:25:fill"; }),
            R"({"auto_top_up":{"threshold_credits":"1000","amount_usd":"25","fill":true}})");
  EXPECT_EQ(with([](auto& a) { a.auto_top_up = "1000"; }),
            "--auto-top-up takes CREDITS:USD (1000:25), CREDITS:USD:fill or off, not 1000");
  for (const auto* limit : {"agent", "agent=a1", "agent=a1:500", "agent=:500/day", "=a:1/day",
                            "agent=a1:/day", "agent=a1:500/"}) {
    EXPECT_EQ(with([&](auto& a) { a.limits = {limit}; }),
              "--limit takes WHOSE=ID:CREDITS/PER (agent=a1:500/day, 'key=*:20/hour'), not " +
                  std::string{limit});
  }
  for (const auto* alert : {"50", "%", "half%", "=50%", "spend-cap=90", "spend-cap=", "credits=",
                            "agent=a1", "agent=:20%", "agent=a1:", "99999999999%"}) {
    EXPECT_EQ(with([&](auto& a) { a.alerts = {alert}; }),
              "--alert takes 50%, spend-cap=90%, credits=1000, agent=a1:20% or 'key=*:500', not " +
                  std::string{alert});
  }
  EXPECT_EQ(with([](auto& a) {
              a.alerts = {"50%"};
              a.no_alerts = true;
            }),
            "--alert and --no-alerts exclude each other");
  EXPECT_EQ(with([](auto& a) { a.terms.rollover = "50%:1"; }),
            "--terms-rollover takes two whole numbers (100:1), not 50%:1");
  EXPECT_EQ(with([](auto& a) {
              a.limits = {"agent=a1:1/day"};
              a.no_limits = true;
            }),
            "--limit and --no-limits exclude each other");
}

}  // namespace
}  // namespace tollgate::proxy
