#include "proxy/account/projection.hpp"

#include <gtest/gtest.h>

#include "tests/unit/proxy/admin/api_test.hpp"

namespace tollgate::proxy::admin {
namespace {

using quota::credits;

quota::time_point at(std::string_view text) {
  return *parse_time(text);
}

// That many whole credits per day, up to yesterday.
usage_history history(std::vector<int> days, std::string_view today, int today_so_far = 0) {
  usage_history out;
  out.first_day = std::chrono::floor<std::chrono::days>(at(today)) -
                  std::chrono::days{static_cast<int>(days.size())};
  for (const int used : days) out.days.push_back(credits::from_whole(used));
  out.today = credits::from_whole(today_so_far);
  return out;
}

std::vector<int> repeat(const std::vector<int>& pattern, int times) {
  std::vector<int> out;
  for (int i = 0; i < times; ++i) out.insert(out.end(), pattern.begin(), pattern.end());
  return out;
}

long whole(credits amount) {
  return std::lround(static_cast<double>(amount.micro()) / 1e6);
}

struct story {
  const char* name;
  std::vector<int> days;
  int today_so_far;
  const char* now;
  const char* end;
  long low, high;  // bounds of the expected use
  bool sure;       // without any spread
};

TEST(projection, tells_stories) {
  const std::vector<int> workweek{100, 100, 100, 100, 100, 0, 0};  // 2026-03-02 is a Monday
  auto until_friday = repeat(workweek, 8);
  until_friday.insert(until_friday.end(), 5, 100);
  std::vector<int> growing;
  for (int day = 0; day < 56; ++day) growing.push_back(50 + day * 2);
  auto spiky = repeat({100}, 28);
  spiky[20] = 5000;
  auto new_customer = repeat({0}, 50);
  new_customer.insert(new_customer.end(), {70, 70, 70, 70});
  const story stories[] = {
      {"nothing ever", {}, 0, "2026-03-10T12:00Z", "2026-04-01", 0, 0, false},
      {"nothing for weeks", repeat({0}, 30), 0, "2026-03-10T12:00Z", "2026-04-01", 0, 0, false},
      {"flat", repeat({100}, 20), 0, "2026-03-12", "2026-04-01", 2000, 2000, true},
      {"flat, half a day gone", repeat({100}, 20), 48, "2026-03-11T12:00Z", "2026-03-13", 150, 150,
       true},
      {"a week of workdays", repeat(workweek, 8), 0, "2026-03-02", "2026-03-09", 480, 520, false},
      {"a weekend to come", until_friday, 0, "2026-03-07", "2026-03-09", 0, 25, false},
      {"workdays to come", repeat(workweek, 8), 0, "2026-03-02", "2026-03-07", 450, 500, false},
      {"growth", growing, 0, "2026-03-02", "2026-03-09", 950, 1200, false},
      {"it stopped",
       [] {
         auto d = repeat({100}, 42);
         d.insert(d.end(), 14, 0);
         return d;
       }(),
       0, "2026-03-02", "2026-03-12", 0, 250, false},
      {"one spike", spiky, 0, "2026-03-02", "2026-03-12", 950, 1200, false},
      {"first day, begun at noon", {}, 50, "2026-03-10T12:00Z", "2026-03-12", 150, 150, false},
      {"first minutes", {}, 1, "2026-03-10T00:05Z", "2026-03-11", 20, 24, false},
      {"a new customer", new_customer, 0, "2026-03-02", "2026-03-12", 700, 700, true},
      {"the cycle is over", repeat({100}, 20), 0, "2026-03-12", "2026-03-12", 0, 0, true},
  };
  for (const auto& story : stories) {
    const usage_pace pace{
        history(story.days, std::string_view{story.now}.substr(0, 10), story.today_so_far),
        at(story.now)};
    const auto range = pace.until(at(story.end));
    EXPECT_GE(whole(range.expected), story.low) << story.name;
    EXPECT_LE(whole(range.expected), story.high) << story.name;
    EXPECT_LE(range.low, range.expected) << story.name;
    EXPECT_GE(range.high, range.expected) << story.name;
    EXPECT_GE(range.low, credits{}) << story.name;
    if (story.sure) {
      EXPECT_LT(whole(range.high) - whole(range.low), 2) << story.name;
    }
  }
}

TEST(projection, is_less_sure_the_more_days_differ_and_the_fewer_there_are) {
  const auto width = [](std::vector<int> days) {
    const usage_pace pace{history(std::move(days), "2026-03-02"), at("2026-03-02")};
    const auto range = pace.until(at("2026-03-16"));
    return range.high - range.low;
  };
  EXPECT_LT(width(repeat({100}, 28)), width(repeat({90, 110}, 14)));
  EXPECT_LT(width(repeat({90, 110}, 14)), width(repeat({20, 180}, 14)));
  EXPECT_LT(width(repeat({90, 110}, 14)), width({100, 100}));
  EXPECT_LT(width(repeat({100}, 28)), credits::from_whole(1));
}

quota::active_grant grant(int whole, quota::time_point expires = quota::never) {
  quota::active_grant out;
  out.remaining = out.amount = credits::from_whole(whole);
  out.expires_at = expires;
  return out;
}

TEST(projection, tells_when_the_credits_end) {
  const usage_pace pace{history(repeat({100}, 28), "2026-03-02"), at("2026-03-02")};
  const auto horizon = at("2026-04-01");
  EXPECT_EQ(pace.runs_out_at({grant(250)}, horizon), at("2026-03-04T12:00Z"));
  EXPECT_EQ(pace.runs_out_at({grant(50), grant(250)}, horizon), at("2026-03-05"));
  EXPECT_EQ(pace.runs_out_at({grant(5000)}, horizon), std::nullopt);
  EXPECT_EQ(pace.runs_out_at({}, horizon), at("2026-03-02"));
  EXPECT_EQ(pace.runs_out_at({grant(9000, at("2026-03-03T06:00Z")), grant(50)}, horizon),
            at("2026-03-03T18:00Z"))
      << "what expires is of no use later";
  const usage_pace idle{history({}, "2026-03-02"), at("2026-03-02")};
  EXPECT_EQ(idle.runs_out_at({grant(1)}, horizon), std::nullopt);
}

using projection_api_test = api_test;

TEST_F(projection_api_test, is_a_call_for_customer_and_admin) {
  store_.time = at("2026-03-01");
  call("PUT", "orgs/acme", R"({"plan":"starter","cycle_anchor":"2026-03-01"})");
  for (int day = 1; day < 11; ++day) {
    store_.time = at("2026-03-01") + std::chrono::days{day - 1};
    charge("acme", credits::from_whole(1000));
  }
  store_.time = at("2026-03-11");
  const auto answer = call("GET", "orgs/acme/projection");
  EXPECT_EQ(answer.body, R"({"success":true,"data":{"cycle":{"start":"2026-03-01T00:00:00Z",)"
                         R"("end":"2026-04-01T00:00:00Z"},"used":10000,)"
                         R"("credits":{"low":31000,"expected":31000,"high":31000},)"
                         R"("overage_usd":{"low":220,"expected":220,"high":220},)"
                         R"("runs_out_at":"2026-03-21T00:00:00Z","observed_days":10}})"
                         "\n");
  call("PUT", "orgs/acme", R"({"spend_cap_usd":50})");
  EXPECT_EQ(at(call("GET", "orgs/acme/projection"), "data/overage_usd/expected"), "50");
  call("PUT", "orgs/acme", R"({"overage":false})");
  EXPECT_EQ(at(call("GET", "orgs/acme/projection"), "data/overage_usd/expected"), "0");
  EXPECT_EQ(at(call("GET", "orgs/acme/projection?org=other"), "error/param"), "org");
  store_.reachable = false;
  EXPECT_EQ(call("GET", "orgs/acme/projection").status, 503);
}

TEST_F(projection_api_test, says_nothing_where_nothing_is_known) {
  call("PUT", "orgs/acme", R"({"plan":"starter"})");
  const auto answer = call("GET", "orgs/acme/projection");
  EXPECT_EQ(at(answer, "data/credits/expected"), "0");
  EXPECT_EQ(at(answer, "data/runs_out_at"), "null");
}

}  // namespace
}  // namespace tollgate::proxy::admin
