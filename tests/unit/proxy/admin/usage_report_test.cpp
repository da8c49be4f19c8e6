#include "proxy/admin/usage_report.hpp"

#include <gtest/gtest.h>

#include "proxy/admin/text.hpp"

namespace tollgate::proxy::admin {
namespace {

using quota::credits;

const quota::time_point now = *parse_time("2026-03-15T10:20:00Z");

std::int64_t hour_of(std::string_view text) {
  return std::chrono::floor<std::chrono::hours>(*parse_time(text)).time_since_epoch().count();
}

quota::usage_counter counter(std::string_view hour, std::string model, std::int64_t micro) {
  quota::usage_counter out;
  out.hour = hour_of(hour);
  out.who.model = std::move(model);
  out.who.agent = "a";
  out.charged = credits::from_micro(micro);
  out.calls = 1;
  out.used = 2;
  return out;
}

std::string refusal(std::string_view query) {
  const auto parsed = usage_query::parse(query, now);
  return parsed ? "" : parsed.error().param;
}

TEST(usage_query, starts_with_this_month) {
  const auto query = usage_query::parse("", now);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->first_hour, hour_of("2026-03-01"));
  EXPECT_EQ(query->last_hour, hour_of("2026-03-15T10:00Z"));
  EXPECT_EQ(query->by, granularity::day);
}

TEST(usage_query, leaves_out_the_hour_that_to_names) {
  const auto query = usage_query::parse("from=2026-01-01&to=2026-02-01&granularity=month", now);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->first_hour, hour_of("2026-01-01"));
  EXPECT_EQ(query->last_hour, hour_of("2026-01-31T23:00Z"));
}

TEST(usage_query, widens_to_whole_hours) {
  const auto query = usage_query::parse("from=2026-01-01T10:30Z&to=2026-01-01T11:01Z", now);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->first_hour, hour_of("2026-01-01T10:00Z"));
  EXPECT_EQ(query->last_hour, hour_of("2026-01-01T11:00Z"));
}

TEST(usage_query, refuses_what_makes_no_sense) {
  EXPECT_EQ(refusal("from=yesterday"), "from");
  EXPECT_EQ(refusal("from=2026-02-01&to=2026-02-01"), "to");
  EXPECT_EQ(refusal("from=2026-02-02&to=2026-02-01"), "to");
  EXPECT_EQ(refusal("from=2024-01-01&to=2025-01-02"), "from");
  EXPECT_EQ(refusal("from=2024-01-01&to=2025-01-01"), "");
  EXPECT_EQ(refusal("granularity=week"), "granularity");
  EXPECT_EQ(refusal("group_by=modell"), "group_by");
  EXPECT_EQ(refusal("group_by=model,model"), "group_by");
  EXPECT_EQ(refusal("group_by=action,model,agent,conversation,key,route"), "");
}

usage_report report_of(std::string_view query) {
  usage_report report{*usage_query::parse(query, now)};
  EXPECT_TRUE(report.add(counter("2026-01-31T23:00Z", "gpt-4", 10'000'000)));
  EXPECT_TRUE(report.add(counter("2026-02-01T00:00Z", "gpt-4", 10'000'000)));
  EXPECT_TRUE(report.add(counter("2026-02-01T05:00Z", "gpt-4", 100'000)));
  EXPECT_TRUE(report.add(counter("2026-02-01T05:00Z", "=claude", 8'000'000)));
  EXPECT_TRUE(report.add(counter("2026-02-01T06:00Z", "", 1)));
  return report;
}

TEST(usage_report, adds_up_by_month) {
  EXPECT_EQ(report_of("from=2026-01-01&to=2026-03-01&granularity=month").to_json(),
            R"({"from":"2026-01-01T00:00:00Z","to":"2026-03-01T00:00:00Z","granularity":"month",)"
            R"("group_by":[],"total":{"credits":28.100001,"calls":5},"rows":[)"
            R"({"start":"2026-01-01T00:00:00Z","credits":10,"calls":1},)"
            R"({"start":"2026-02-01T00:00:00Z","credits":18.100001,"calls":4}]})");
}

TEST(usage_report, groups_by_day_and_model) {
  EXPECT_EQ(report_of("from=2026-02-01&to=2026-03-01&group_by=model").to_csv(),
            "start,model,credits,calls\r\n"
            "2026-01-31T00:00:00Z,gpt-4,10,1\r\n"
            "2026-02-01T00:00:00Z,,0.000001,1\r\n"
            "2026-02-01T00:00:00Z,\"'=claude\",8,1\r\n"
            "2026-02-01T00:00:00Z,gpt-4,10.1,2\r\n");
}

TEST(usage_report, shows_what_was_used_only_where_it_is_one_thing) {
  const auto grouped = report_of("group_by=action").to_json();
  EXPECT_NE(grouped.find(R"("action":null,"credits":10,"calls":1,"used":2)"), std::string::npos);
  EXPECT_EQ(report_of("group_by=model").to_json().find("used"), std::string::npos);
}

TEST(usage_report, has_an_end) {
  usage_report report{*usage_query::parse("group_by=agent", now)};
  auto one = counter("2026-02-01", "m", 1);
  for (std::size_t i = 0; i < usage_report::max_rows; ++i) {
    one.who.agent = std::to_string(i);
    ASSERT_TRUE(report.add(one));
  }
  EXPECT_TRUE(report.add(one));
  one.who.agent = "one too many";
  EXPECT_FALSE(report.add(one));
}

}  // namespace
}  // namespace tollgate::proxy::admin
