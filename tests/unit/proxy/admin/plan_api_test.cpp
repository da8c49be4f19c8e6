// Plans, options and top-ups through the admin API.
#include <gmock/gmock.h>

#include "tests/unit/proxy/admin/api_test.hpp"

namespace tollgate::proxy::admin {
namespace {

using namespace quota::literals;
using testing::HasSubstr;
using testing::Not;

class plan_api_test : public api_test {
 protected:
  // "PARAM: MESSAGE" of a refused PUT.
  std::string refusal(std::string body) {
    const auto response = call("PUT", "orgs/acme", std::move(body));
    EXPECT_EQ(response.status, 400) << response.body;
    return at(response, "error/param") + ": " + at(response, "error/message");
  }
  const quota::account_plan& plan_of(const std::string& org) { return *store_.account(org).plan(); }
};

TEST_F(plan_api_test, an_organization_without_a_plan_has_cycles_too) {
  create("acme");
  EXPECT_EQ(plan_of("acme").terms, quota::plan_terms{});
  const auto org = call("GET", "orgs/acme");
  EXPECT_EQ(at(org, "data/plan"), "null");
  EXPECT_EQ(at(org, "data/cycle/end"), "2026-04-15T00:00:00Z");
}

TEST_F(plan_api_test, a_plan_brings_its_allocation_once) {
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  call("PUT", "orgs/acme", R"({"suspended":true})");
  EXPECT_EQ(at(call("GET", "orgs/acme/balance"), "data/available"), "20000");
}

TEST_F(plan_api_test, everything_an_organization_chooses) {
  const auto body =
      R"({"plan":"pro","cycle_anchor":"2026-01-31","overage":false,"spend_cap_usd":50.5,
      "critical_overdraft_credits":7.5,"auto_top_up":{"threshold_credits":1000,"amount_usd":10},
      "limits":[{"agent":"a 1","credits":500,"per":"day"},{"key":"*","credits":0,"per":"total"}],
      "stripe_customer":"cus_1"})";
  ASSERT_EQ(call("PUT", "orgs/acme", body).status, 201);
  const auto& options = plan_of("acme").options;
  EXPECT_FALSE(options.overage);
  EXPECT_EQ(options.spend_cap_cents, 5'050);
  EXPECT_EQ(options.critical_overdraft, 7'500'000_micro);
  EXPECT_EQ(options.top_up_threshold, 1'000_credits);
  EXPECT_EQ(options.top_up_cents, 1'000);
  const std::vector<quota::spend_limit> limits{
      {quota::limit_scope::agent, "a 1", 500_credits, quota::limit_window::day},
      {quota::limit_scope::key, "*", 0_credits, quota::limit_window::total}};
  EXPECT_EQ(options.limits, limits);
  EXPECT_EQ(plan_of("acme").anchor_day, 31);

  // Values that are not mentioned are kept.
  const auto org = call("PUT", "orgs/acme", R"({"overage":true})");
  EXPECT_EQ(at(org, "data/overage"), "true");
  EXPECT_EQ(at(org, "data/spend_cap_usd"), "50.5");
  EXPECT_EQ(at(org, "data/critical_overdraft_credits"), "7.5");
  EXPECT_EQ(at(org, "data/auto_top_up/threshold_credits"), "1000");
  EXPECT_EQ(at(org, "data/auto_top_up/amount_usd"), "25") << "the plan's minimum";
  EXPECT_EQ(at(org, "data/limits/0/agent"), "a 1");
  EXPECT_EQ(at(org, "data/limits/1/per"), "total");
  EXPECT_EQ(at(org, "data/stripe_customer"), "cus_1");
  EXPECT_EQ(at(org, "data/cycle/start"), "2026-02-28T00:00:00Z");
  EXPECT_EQ(at(org, "data/cycle/end"), "2026-03-31T00:00:00Z");

  const auto fills = R"({"auto_top_up":{"threshold_credits":1000,"amount_usd":10,"fill":true}})";
  EXPECT_EQ(at(call("PUT", "orgs/acme", fills), "data/auto_top_up/fill"), "true");
  EXPECT_TRUE(plan_of("acme").options.top_up_fill);
  EXPECT_THAT(refusal(R"({"auto_top_up":{"threshold_credits":1,"amount_usd":1,"fill":1}})"),
              HasSubstr("auto_top_up.fill"));

  const auto none = R"({"spend_cap_usd":null,"critical_overdraft_credits":null,"auto_top_up":null,
      "limits":[],"stripe_customer":null})";
  ASSERT_EQ(call("PUT", "orgs/acme", none).status, 200);
  EXPECT_EQ(plan_of("acme").options, quota::account_options{});
  EXPECT_EQ(at(call("GET", "orgs/acme"), "data/auto_top_up"), "null");
}

TEST_F(plan_api_test, amounts_are_exact) {
  EXPECT_THAT(refusal(R"({"spend_cap_usd":50.005})"),
              HasSubstr("spend_cap_usd: spend_cap_usd must be"));
  EXPECT_THAT(refusal(R"({"spend_cap_usd":-1})"), HasSubstr("from 0 to 9000000000"));
  EXPECT_THAT(refusal(R"({"spend_cap_usd":9000000000.01})"), HasSubstr("from 0 to 9000000000"));
  EXPECT_THAT(refusal(R"({"spend_cap_usd":5e1})"), HasSubstr("without exponent"));
  EXPECT_THAT(refusal(R"({"spend_cap_usd":true})"), HasSubstr("a number of dollars, not true"));
  EXPECT_THAT(refusal(R"({"critical_overdraft_credits":-1})"), HasSubstr("cannot be negative"));
  ASSERT_EQ(call("PUT", "orgs/acme", R"({"spend_cap_usd":9000000000})").status, 201);
  EXPECT_EQ(at(call("GET", "orgs/acme"), "data/spend_cap_usd"), "9000000000");
}

TEST_F(plan_api_test, an_automatic_top_up_needs_a_price) {
  const auto rule = R"("auto_top_up":{"threshold_credits":10,"amount_usd":10})";
  EXPECT_THAT(refusal(std::string{"{"} + rule + "}"),
              HasSubstr("auto_top_up: auto_top_up needs a price per credit, and an organization "
                        "without a plan has none: give it one"));
  EXPECT_THAT(refusal(std::string{R"({"plan":"free",)"} + rule + "}"),
              HasSubstr("the plan \"free\" has none: set its overage_usd"));
  EXPECT_THAT(refusal(R"({"plan":"pro","auto_top_up":{"threshold_credits":10}})"),
              HasSubstr("needs a threshold and an amount"));
  EXPECT_THAT(refusal(R"({"plan":"pro","auto_top_up":{"threshold_credits":10,"amount_usd":0}})"),
              HasSubstr("needs a threshold and an amount"));
  EXPECT_THAT(refusal(R"({"plan":"pro","auto_top_up":{"threshold":10,"amount_usd":5}})"),
              HasSubstr("auto_top_up.threshold: auto_top_up: unknown field"));
  EXPECT_THAT(
      refusal(R"({"plan":"pro","auto_top_up":{"threshold_credits":1,"amount_usd":40000001}})"),
      HasSubstr("more than 4000000000 credits"));
}

TEST_F(plan_api_test, limits_are_read_strictly) {
  const auto limits = [&](const std::string& list) { return refusal("{\"limits\":" + list + "}"); };
  EXPECT_THAT(limits("{}"), HasSubstr("limits is an array, not an object"));
  EXPECT_THAT(limits("[7]"), HasSubstr("limits[0]: limits[0]: an object, not a number"));
  EXPECT_THAT(limits(R"([{"credits":1,"per":"day"}])"), HasSubstr("is required"));
  EXPECT_THAT(limits(R"([{"agent":"a","key":"k","credits":1,"per":"day"}])"),
              HasSubstr("not several"));
  EXPECT_THAT(limits(R"([{"agent":"","credits":1,"per":"day"}])"), HasSubstr("limits[0].agent"));
  EXPECT_THAT(limits(R"([{"agent":"a\nb","credits":1,"per":"day"}])"), HasSubstr("control"));
  EXPECT_THAT(limits(R"([{"agent":"a","per":"day"}])"), HasSubstr("limits[0].credits"));
  EXPECT_THAT(limits(R"([{"agent":"a","credits":-1,"per":"day"}])"), HasSubstr("negative"));
  EXPECT_THAT(limits(R"([{"agent":"a","credits":1}])"), HasSubstr("hour, day, cycle or total"));
  EXPECT_THAT(limits(R"([{"agent":"a","credits":1,"per":"week"}])"), HasSubstr("limits[0].per"));
  EXPECT_THAT(limits(R"([{"agnet":"a","credits":1,"per":"day"}])"), HasSubstr("\"agent\""));
  EXPECT_THAT(
      limits(R"([{"agent":"a","credits":1,"per":"day"},{"agent":"a","credits":2,"per":"day"}])"),
      HasSubstr("limits[1]: is duplicated"));
  std::string many = "[";
  for (int i = 0; i < 65; ++i) {
    many += (i == 0 ? "" : ",") + std::string{R"({"agent":"a)"} + std::to_string(i) +
            R"(","credits":1,"per":"day"})";
  }
  EXPECT_THAT(limits(many + "]"), HasSubstr("at most 64 limits"));
}

TEST_F(plan_api_test, a_change_can_wait_for_the_next_cycle) {
  call("PUT", "orgs/acme", R"({"plan":"pro"})");
  auto org = call("PUT", "orgs/acme", R"({"plan":"starter","plan_effective":"next_cycle"})");
  EXPECT_EQ(at(org, "data/plan"), "pro");
  EXPECT_EQ(at(org, "data/plan_change/plan"), "starter");
  EXPECT_EQ(at(org, "data/plan_change/at"), "2026-04-15T00:00:00Z");
  // Other changes do not bring the change of plan forward.
  org = call("PUT", "orgs/acme", R"({"spend_cap_usd":5})");
  EXPECT_EQ(at(org, "data/plan"), "pro");
  EXPECT_EQ(at(org, "data/plan_change/plan"), "starter");
  EXPECT_EQ(plan_of("acme").options.spend_cap_cents, 500);
  // Until then the organization can stay on its plan.
  org = call("PUT", "orgs/acme", R"({"plan":"pro","plan_effective":"next_cycle"})");
  EXPECT_EQ(at(org, "data/plan_change"), "null");
  call("PUT", "orgs/acme", R"({"plan":"starter","plan_effective":"next_cycle"})");
  org = call("PUT", "orgs/acme", R"({"plan_effective":"now"})");
  EXPECT_EQ(at(org, "data/plan"), "starter");
  EXPECT_EQ(at(org, "data/plan_change"), "null");
  EXPECT_THAT(refusal(R"({"plan_effective":"tomorrow"})"), HasSubstr("now or next_cycle"));
  EXPECT_THAT(refusal(R"({"cycle_anchor":"31"})"), HasSubstr("cycle_anchor must be a date"));
  EXPECT_THAT(refusal(R"({"cycle_anchor":"2026-02-30"})"),
              HasSubstr("cycle_anchor must be a date"));
}

TEST_F(plan_api_test, a_custom_plan_takes_its_terms_from_the_organization) {
  EXPECT_THAT(refusal(R"({"plan":"enterprise"})"),
              HasSubstr("terms: the plan \"enterprise\" has custom: true"));
  EXPECT_THAT(refusal(R"({"plan":"pro","terms":{"credits":1}})"), HasSubstr("terms are for plans"));
  EXPECT_THAT(refusal(R"({"plan":"enterprise","terms":{}})"), HasSubstr("terms.credits"));
  EXPECT_THAT(refusal(R"({"plan":"enterprise","terms":{"credits":1,"rollover":{"cycles":1}}})"),
              HasSubstr("terms.rollover: terms: rollover needs up_to_percent and cycles"));
  EXPECT_THAT(refusal(R"({"plan":"enterprise","terms":{"credits":1,"top_up_minimum_usd":10}})"),
              HasSubstr("terms.top_up_minimum_usd: terms: top_up_minimum_usd needs overage_usd"));
  EXPECT_THAT(refusal(R"({"plan":"enterprise","terms":{"credits":1,"overage_usd":1000.1}})"),
              HasSubstr("terms.overage_usd"));
  EXPECT_THAT(
      refusal(
          R"({"plan":"enterprise","terms":{"credits":1,"requests":{"per_minute":0,"burst":1}}})"),
      HasSubstr("terms.requests.per_minute"));
  const auto terms = R"({"plan":"enterprise","terms":{"credits":1000000,"overage_usd":0.005,
      "rollover":{"up_to_percent":50,"cycles":3},"top_up_minimum_usd":100,
      "requests":{"per_minute":6000,"burst":9000}}})";
  const auto org = call("PUT", "orgs/acme", terms);
  ASSERT_EQ(org.status, 201);
  EXPECT_EQ(at(org, "data/terms/credits"), "1000000");
  EXPECT_EQ(at(org, "data/terms/overage_usd"), "0.005");
  EXPECT_EQ(at(org, "data/terms/rollover/up_to_percent"), "50");
  EXPECT_EQ(at(org, "data/terms/requests/burst"), "9000");
  EXPECT_EQ(at(org, "data/terms/top_up_minimum_usd"), "100");
  EXPECT_EQ(plan_of("acme").terms.plan, "enterprise");
  EXPECT_EQ(call("PUT", "orgs/acme", R"({"overage":false})").status, 200) << "they stay, too";
  EXPECT_EQ(plan_of("acme").terms.allocation, 1'000'000_credits);
}

TEST_F(plan_api_test, a_plan_that_the_configuration_no_longer_has_stays_in_force) {
  call("PUT", "orgs/acme", R"({"plan":"pro"})");
  configuration_ = std::make_shared<config::configuration>();
  configuration_->values.admin.token = "correct horse";
  EXPECT_EQ(call("PUT", "orgs/acme", R"({"suspended":true})").status, 200);
  EXPECT_EQ(plan_of("acme").terms.allocation, 200'000_credits);
}

TEST_F(plan_api_test, a_grant_may_expire) {
  create("acme");
  const auto body = R"({"credits":5,"expires_at":"2026-03-16T12:00:00+02:00","priority":7})";
  const auto grant = call("POST", "orgs/acme/grants", body, "g1");
  ASSERT_EQ(grant.status, 201);
  EXPECT_EQ(at(grant, "data/expires_at"), "2026-03-16T10:00:00.000Z");
  EXPECT_EQ(at(grant, "data/priority"), "7");
  EXPECT_EQ(at(call("GET", "orgs/acme/grants"), "data/grants/0/priority"), "7");
  for (const auto* other : {R"({"credits":5,"priority":7})",
                            R"({"credits":5,"expires_at":"2026-03-16T12:00:00+02:00"})"}) {
    EXPECT_EQ(call("POST", "orgs/acme/grants", other, "g1").status, 422) << other;
  }
  store_.time += std::chrono::hours{48};
  const auto repeated = call("POST", "orgs/acme/grants", body, "g1");
  EXPECT_EQ(repeated.status, 201) << "the same call gets the same answer, also after that";
  EXPECT_EQ(header(repeated, "Idempotent-Replayed"), "true");
  EXPECT_EQ(call("POST", "orgs/acme/grants", body, "g2").status, 400);
}

TEST_F(plan_api_test, the_balance_tells_what_may_still_be_spent) {
  call("PUT", "orgs/acme", R"({"plan":"starter","spend_cap_usd":50})");
  call("POST", "orgs/acme/grants", R"({"credits":100})", "g1");
  charge("acme", 21'334_credits);
  const auto balance = call("GET", "orgs/acme/balance");
  EXPECT_EQ(at(balance, "data/available"), "-1234");
  EXPECT_EQ(at(balance, "data/overage/credits"), "1234");
  EXPECT_EQ(at(balance, "data/overage/usd"), "24.68");
  EXPECT_EQ(at(balance, "data/overage/allowed"), "true");
  EXPECT_EQ(at(balance, "data/spend_cap/usd"), "50");
  EXPECT_EQ(at(balance, "data/spend_cap/used_usd"), "24.68");
  EXPECT_EQ(at(balance, "data/spend_cap/remaining_usd"), "25.32");
  EXPECT_EQ(at(balance, "data/plan"), "starter");
  EXPECT_EQ(at(balance, "data/cycle/start"), "2026-03-15T00:00:00Z");
  EXPECT_EQ(at(balance, "data/grants"), "0 elements");
}

TEST_F(plan_api_test, top_ups_come_in_pages) {
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  for (const auto* id : {"p1", "p2", "p3"}) {
    ASSERT_EQ(call("POST", "orgs/acme/top_ups", R"({"amount_usd":10})", id).status, 201);
  }
  auto page = call("GET", "orgs/acme/top_ups?limit=2");
  EXPECT_EQ(at(page, "data/top_ups"), "2 elements");
  EXPECT_EQ(at(page, "data/has_more"), "true");
  EXPECT_EQ(at(page, "data/next_after"), "p2");
  page = call("GET", "orgs/acme/top_ups?limit=2&after=p2");
  EXPECT_EQ(at(page, "data/top_ups/0/id"), "p3");
  EXPECT_EQ(at(page, "data/has_more"), "false");
  page = call("GET", "orgs/acme/top_ups?after=p3");
  EXPECT_EQ(at(page, "data/top_ups"), "0 elements");
  EXPECT_EQ(at(page, "data/next_after"), "p3");
  EXPECT_EQ(at(call("GET", "orgs/acme/top_ups"), "data/top_ups"), "3 elements");
  for (const auto* query : {"after=p4", "limit=0", "limit=1001", "limit=x", "page=2"}) {
    EXPECT_EQ(call("GET", std::string{"orgs/acme/top_ups?"} + query).status, 400) << query;
  }
}

TEST_F(plan_api_test, the_cycle_as_a_line) {
  call("PUT", "orgs/acme", R"({"plan":"starter","spend_cap_usd":50})");
  charge("acme", 21'000_credits);
  const auto line = call("GET", "orgs/acme/burn_down");
  EXPECT_EQ(at(line, "data/supply"), "20000");
  EXPECT_EQ(at(line, "data/used"), "21000");
  EXPECT_EQ(at(line, "data/ends_at"), "22500");
  EXPECT_EQ(at(line, "data/days"), "1 elements");
  EXPECT_EQ(at(line, "data/days/0/day"), "2026-03-15");
  EXPECT_EQ(at(line, "data/days/0/total"), "21000");
  EXPECT_NE(at(line, "data/expected/expected"), "absent");
  EXPECT_EQ(at(call("GET", "orgs/acme/quote?amount_usd=25"), "data/credits"), "1250");
  EXPECT_EQ(call("GET", "orgs/acme/quote").status, 400);
}

TEST_F(plan_api_test, grants_stand_in_the_order_in_which_they_burn) {
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  call("POST", "orgs/acme/grants", R"({"credits":100})", "bought");
  call("POST", "orgs/acme/grants", R"({"credits":7,"kind":"promotion","expires_at":"2026-03-20"})",
       "gift");
  charge("acme", 10_credits);
  const auto balance = call("GET", "orgs/acme/balance");
  EXPECT_EQ(at(balance, "data/grants"), "2 elements");
  EXPECT_EQ(at(balance, "data/grants/0/kind"), "allocation");
  EXPECT_EQ(at(balance, "data/grants/0/remaining"), "19997");
  EXPECT_EQ(at(balance, "data/grants/0/credits"), "20000");
  EXPECT_EQ(at(balance, "data/grants/1/id"), "bought");
  EXPECT_EQ(at(balance, "data/grants/1/kept"), "false");
}

TEST_F(plan_api_test, statements_follow_the_cycles) {
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  charge("acme", 20'100_credits);
  store_.time += std::chrono::hours{24 * 40};
  call("PUT", "orgs/acme", "{}");
  charge("acme", 5_credits);

  const auto first = call("GET", "orgs/acme/statements/2026-03");
  EXPECT_EQ(at(first, "data/final"), "true");
  EXPECT_EQ(at(first, "data/allocation"), "20000");
  EXPECT_EQ(at(first, "data/overage_billed"), "100");
  EXPECT_EQ(at(first, "data/overage/usd"), "2");
  EXPECT_EQ(at(first, "data/usage/credits"), "20100");
  EXPECT_EQ(at(first, "data/usage/lines/0/model"), "gpt-4");
  EXPECT_EQ(at(first, "data/usage/lines/0/calls"), "1");
  EXPECT_EQ(at(first, "data/usage/other"), "0");
  EXPECT_EQ(at(first, "data/closing"), "0");

  const auto second = call("GET", "orgs/acme/statements/2026-04");
  EXPECT_EQ(at(second, "data/closed"), "false");
  EXPECT_EQ(at(second, "data/usage/lines/0/credits"), "5");
  EXPECT_EQ(at(second, "data/closing"), "19995");
  EXPECT_EQ(at(call("GET", "orgs/acme/statements"), "data/statements"), "2 elements");

  EXPECT_EQ(at(call("GET", "orgs/acme/statements/2026-05"), "error/code"), "statement_not_found");
  for (const auto* month : {"2026", "2026-13", "2026-03-15", "latest"}) {
    EXPECT_EQ(call("GET", std::string{"orgs/acme/statements/"} + month).status, 400) << month;
  }
  accept_ = "text/csv";
  EXPECT_TRUE(call("GET", "orgs/acme/statements").body.starts_with("month,start,end,plan,final,"));
  EXPECT_TRUE(call("GET", "orgs/acme/statements/2026-03").body.starts_with("line,action,model,"));
  accept_ = "text/plain";
  EXPECT_TRUE(call("GET", "orgs/acme/statements/2026-03").body.starts_with("Statement of acme"));
}

TEST_F(plan_api_test, credits_are_bought_once) {
  create("acme");
  EXPECT_THAT(at(call("POST", "orgs/acme/top_ups", R"({"amount_usd":10})"), "error/message"),
              HasSubstr("no price per credit"));
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  EXPECT_THAT(at(call("POST", "orgs/acme/top_ups", R"({"amount_usd":9.99})"), "error/message"),
              HasSubstr("at least $10"));
  EXPECT_EQ(call("POST", "orgs/acme/top_ups", "{}").status, 400);

  const auto bought = call("POST", "orgs/acme/top_ups", R"({"amount_usd":10.50})", "pack-1");
  EXPECT_EQ(bought.status, 201);
  EXPECT_EQ(at(bought, "data/status"), "requested");
  EXPECT_EQ(at(bought, "data/credits"), "525");
  EXPECT_EQ(at(bought, "data/automatic"), "false");
  const auto again = call("POST", "orgs/acme/top_ups", R"({"amount_usd":10.5})", "pack-1");
  EXPECT_EQ(again.body, bought.body);
  EXPECT_EQ(header(again, "Idempotent-Replayed"), "true");
  EXPECT_EQ(call("POST", "orgs/acme/top_ups", R"({"amount_usd":11})", "pack-1").status, 422);
  EXPECT_EQ(at(call("GET", "orgs/acme/top_ups"), "data/top_ups"), "1 elements");

  const auto resolve = [&](const char* status) {
    return call("POST", "orgs/acme/top_ups/pack-1", std::string{R"({"status":")"} + status + "\"}");
  };
  EXPECT_EQ(resolve("maybe").status, 400);
  EXPECT_EQ(at(resolve("declined"), "data/status"), "declined");
  EXPECT_EQ(at(resolve("declined"), "data/status"), "declined");
  EXPECT_EQ(at(resolve("paid"), "data/status"), "paid");
  EXPECT_EQ(header(resolve("paid"), "Idempotent-Replayed"), "true");
  EXPECT_EQ(resolve("declined").status, 409);
  EXPECT_EQ(at(call("GET", "orgs/acme/balance"), "data/available"), "20525") << "once";
  EXPECT_EQ(call("POST", "orgs/acme/top_ups/pack-2", R"({"status":"paid"})").status, 404);
}

// Three payments that were first declined fill the balance: a fourth is confirmed but does not fit.
TEST_F(plan_api_test, a_payment_without_room_is_not_said_to_be_free) {
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  const std::pair<std::string, std::string> packs[] = {
      {"p1", "78000000"}, {"p2", "78000000"}, {"p3", "3999600"}, {"p4", "10"}};
  const auto resolve = [&](const std::string& id, const std::string& status) {
    return call("POST", "orgs/acme/top_ups/" + id, R"({"status":")" + status + "\"}");
  };
  for (const auto& [id, dollars] : packs) {
    ASSERT_EQ(call("POST", "orgs/acme/top_ups", R"({"amount_usd":)" + dollars + "}", id).status,
              201);
    ASSERT_EQ(resolve(id, "declined").status, 200);
  }
  for (const auto* id : {"p1", "p2", "p3"}) ASSERT_EQ(resolve(id, "paid").status, 200) << id;
  const auto full = resolve("p4", "paid");
  EXPECT_EQ(full.status, 409);
  EXPECT_EQ(at(full, "error/code"), "balance_full");
  EXPECT_THAT(at(full, "error/message"), HasSubstr("its credits were not granted"));
  EXPECT_THAT(at(full, "error/message"), Not(HasSubstr("or charged")));
}

TEST_F(plan_api_test, a_lost_answer_names_the_key_that_makes_buying_again_safe) {
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  for (const int lost : {0, 1}) {
    store_.calls_until_lost = lost;
    const auto response = call("POST", "orgs/acme/top_ups", R"({"amount_usd":10})");
    EXPECT_EQ(response.status, 503);
    const auto message = at(response, "error/message");
    const auto key = message.substr(message.find("topup_"));
    EXPECT_EQ(call("POST", "orgs/acme/top_ups", R"({"amount_usd":10})", key).status, 201);
  }
  EXPECT_EQ(at(call("GET", "orgs/acme/top_ups"), "data/top_ups"), "2 elements");
}

TEST_F(plan_api_test, a_put_that_is_half_done_can_be_repeated) {
  store_.calls_until_lost = 0;  // the answer to configure
  const auto lost = call("PUT", "orgs/acme", R"({"plan":"starter"})");
  EXPECT_EQ(lost.status, 503);
  EXPECT_THAT(at(lost, "error/message"), HasSubstr("repeat the PUT"));
  EXPECT_EQ(call("PUT", "orgs/acme", R"({"plan":"starter"})").status, 200);
  EXPECT_EQ(at(call("GET", "orgs/acme/balance"), "data/available"), "20000");
}

TEST_F(plan_api_test, options_changed_in_between_are_not_undone) {
  create("acme");
  const auto found = tests::run_task(store_.find("acme")).value();
  auto mine = found->options, others = found->options;
  others.overage = false;
  mine.spend_cap_cents = 100;
  quota::organization_change change;
  change.options = others;
  change.instead_of = found->options;
  EXPECT_FALSE(tests::run_task(store_.change("acme", change)).value().stale);
  change.options = mine;
  EXPECT_TRUE(tests::run_task(store_.change("acme", change)).value().stale);
  EXPECT_EQ(tests::run_task(store_.find("acme")).value()->options, others);
}

TEST_F(plan_api_test, the_customer_reads_the_same) {
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  billing_api billing{store_, store_, [this] { return configuration_; }};
  const auto get = [&](std::string method, std::string path) {
    api_request request;
    request.method = std::move(method);
    request.path = std::move(path);
    return tests::run_task(billing.handle("acme", std::move(request)));
  };
  EXPECT_EQ(at(get("GET", "/statements"), "data/statements"), "1 elements");
  EXPECT_EQ(at(get("GET", "/statements/2026-03"), "data/plan"), "starter");
  EXPECT_EQ(at(get("HEAD", "/top_ups"), "data/top_ups"), "0 elements");
  EXPECT_EQ(get("POST", "/top_ups").status, 405);
  EXPECT_EQ(get("POST", "/statements/2026-03").status, 405);
  EXPECT_EQ(get("GET", "/statements/").status, 400);
  EXPECT_EQ(get("GET", "/grants").status, 404);
}

}  // namespace
}  // namespace tollgate::proxy::admin
