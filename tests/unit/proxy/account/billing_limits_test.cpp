#include "proxy/account/billing_limits.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::admin {
namespace {

using namespace std::chrono_literals;

class billing_limits_test : public testing::Test {
 protected:
  std::optional<api_error> begin(const char* org = "acme") { return limits.begin(org, rules, now); }
  // One request from begin to end; true if it was admitted.
  bool ask(const char* org = "acme") {
    if (begin(org)) return false;
    limits.end(org);
    return true;
  }

  billing_limits limits;
  config::billing_settings rules{"/v1/billing", 60, 2, 3};
  billing_limits::steady_time now{1h};
};

TEST_F(billing_limits_test, admits_a_burst_and_then_the_rate) {
  EXPECT_TRUE(ask());
  EXPECT_TRUE(ask());
  const auto refused = begin();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->code, "rate_limited");
  EXPECT_EQ(refused->retry_after, 1s);
  now += 1s;
  EXPECT_TRUE(ask());
  EXPECT_FALSE(ask());
}

TEST_F(billing_limits_test, counts_each_organization_by_itself) {
  EXPECT_TRUE(ask());
  EXPECT_TRUE(ask());
  EXPECT_FALSE(ask());
  EXPECT_TRUE(ask("other"));
}

TEST_F(billing_limits_test, admits_so_many_at_a_time) {
  rules.requests_per_minute = 0;
  EXPECT_FALSE(begin());
  EXPECT_FALSE(begin());
  EXPECT_FALSE(begin());
  EXPECT_TRUE(begin());
  EXPECT_FALSE(begin("other"));
  limits.end("acme");
  EXPECT_FALSE(begin());
}

TEST_F(billing_limits_test, a_refused_request_takes_nothing) {
  rules.burst = 100;
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(begin());
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(begin());
  for (int i = 0; i < 3; ++i) limits.end("acme");
  EXPECT_TRUE(ask());
}

TEST_F(billing_limits_test, zero_is_unlimited) {
  rules.requests_per_minute = 0;
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(ask());
}

TEST_F(billing_limits_test, forgets_organizations_that_are_idle_and_no_others) {
  ask();
  ask();
  for (int i = 0; i < 5'000; ++i) ask(std::to_string(i).c_str());
  EXPECT_FALSE(ask());
}

}  // namespace
}  // namespace tollgate::proxy::admin
