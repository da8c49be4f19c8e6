#include "proxy/account/usage_report.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/text/json.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {
namespace {

using quota::credits;
using testing::HasSubstr;
using testing::Not;

const quota::time_point now = *parse_time("2026-03-15T10:20:00Z");

std::int64_t hour_of(std::string_view text) {
  return quota::hour_of(*parse_time(text));
}

quota::usage_counter counter(std::string_view hour, std::string model, std::int64_t micro,
                             std::string route = "chat") {
  quota::usage_counter out;
  out.hour = hour_of(hour);
  out.who.model = std::move(model);
  out.who.agent = "a";
  out.who.action = out.who.route = std::move(route);
  out.charged = credits::from_micro(micro);
  out.calls = 1;
  out.used = 2;
  return out;
}

usage_units units() {
  config::settings settings;
  settings.rates = {{.name = "r", .price = {}, .per = quota::unit::request},
                    {.name = "q", .price = {}, .per = quota::unit::query},
                    {.name = "m", .price = {}, .per = quota::unit::minute}};
  for (const auto& [name, action, rate] : {std::tuple{"chat", "chat", "r"},
                                           {"ask", "ask", "q"},
                                           {"speak", "voice", "m"},
                                           {"page", "voice", "r"}}) {
    routes::route_settings route;
    route.name = name;
    route.action = action;
    route.rate = rate;
    settings.routes.push_back(std::move(route));
  }
  return usage_units{settings};
}

usage_report empty_report(std::string_view query) {
  return {*usage_query::parse(query, now), units()};
}

usage_report report_of(std::string_view query) {
  auto report = empty_report(query);
  report.add(counter("2026-01-31T23:00Z", "gpt-4", 10'000'000));
  report.add(counter("2026-02-01T00:00Z", "gpt-4", 10'000'000));
  report.add(counter("2026-02-01T05:00Z", "gpt-4", 100'000));
  report.add(counter("2026-02-01T05:00Z", "=claude", 8'000'000));
  report.add(counter("2026-02-01T06:00Z", "", 1));
  return report;
}

TEST(usage_report, adds_up_by_month) {
  EXPECT_THAT(
      report_of("from=2026-01-01&to=2026-03-01&granularity=month").to_json(),
      HasSubstr(
          R"({"from":"2026-01-01T00:00:00Z","to":"2026-03-01T00:00:00Z",)"
          R"("time_zone":"UTC","granularity":"month",)"
          R"("group_by":[],"callers_known_from":null,"total":{"credits":28.100001,"calls":5},"rows":[)"
          R"({"start":"2026-01-01T00:00:00Z","credits":10,"calls":1},)"
          R"({"start":"2026-02-01T00:00:00Z","credits":18.100001,"calls":4}],)"
          R"("has_more":false,"next_after":")"));
}

TEST(usage_report, is_one_row_in_all) {
  EXPECT_THAT(
      report_of("from=2026-01-01&to=2026-03-01&granularity=total").to_json(),
      HasSubstr(R"("rows":[{"start":"2026-01-01T00:00:00Z","credits":28.100001,"calls":5}])"));
}

TEST(usage_report, counts_by_the_clock_of_a_time_zone) {
  EXPECT_EQ(report_of("from=2026-01-01&to=2026-03-01&time_zone=Europe/Berlin").to_csv(),
            "start,credits,calls\r\n2026-02-01T00:00:00+01:00,28.100001,5\r\n");
}

TEST(usage_report, groups_by_day_and_model) {
  EXPECT_EQ(report_of("from=2026-01-31&to=2026-03-01&group_by=model").to_csv(),
            "start,model,credits,calls\r\n"
            "2026-01-31T00:00:00Z,gpt-4,10,1\r\n"
            "2026-02-01T00:00:00Z,,0.000001,1\r\n"
            "2026-02-01T00:00:00Z,\"'=claude\",8,1\r\n"
            "2026-02-01T00:00:00Z,gpt-4,10.1,2\r\n");
}

TEST(usage_report, filters) {
  EXPECT_THAT(report_of("model=gpt-4&granularity=total").to_json(),
              HasSubstr(R"("total":{"credits":20.1,"calls":3})"));
  EXPECT_THAT(report_of("model=gpt-4&model=&granularity=total").to_json(),
              HasSubstr(R"("total":{"credits":20.100001,"calls":4})"));
  EXPECT_THAT(
      report_of("agent=b").to_json(),
      HasSubstr(R"("total":{"credits":0,"calls":0},"rows":[],"has_more":false,"next_after":null)"));
}

TEST(usage_report, shows_what_was_used_in_the_unit_of_the_action) {
  auto by_action = empty_report("group_by=action&granularity=total");
  auto by_route = empty_report("group_by=route&granularity=total");
  for (const auto* route : {"chat", "ask", "speak", "page", "gone"}) {
    auto one = counter("2026-03-01", "m", 1, route);
    if (one.who.route == "speak" || one.who.route == "page") one.who.action = "voice";
    if (one.who.route == "speak") one.used = 61'500'000, one.billed_us = 62'000'000;
    by_action.add(one);
    by_route.add(one);
  }
  const auto actions = by_action.to_json(), routes = by_route.to_json();
  EXPECT_THAT(
      actions,
      HasSubstr(
          R"("action":"ask","credits":0.000001,"calls":1,"used":2,"billed":2,"unit":"query")"));
  EXPECT_THAT(
      actions,
      HasSubstr(
          R"("action":"voice","credits":0.000002,"calls":2,"used":null,"billed":null,"unit":null)"));
  EXPECT_THAT(
      actions,
      HasSubstr(
          R"("action":"gone","credits":0.000001,"calls":1,"used":null,"billed":null,"unit":null)"));
  EXPECT_THAT(
      routes,
      HasSubstr(
          R"("route":"speak","credits":0.000001,"calls":1,"used":61.5,"billed":62,"unit":"second")"));
  EXPECT_THAT(by_route.to_csv(), HasSubstr("chat,0.000001,1,2,2,request\r\n"));
  EXPECT_THAT(report_of("group_by=model").to_json(), Not(HasSubstr("used")));
}

// Values that are no longer known are marked, because null would look like a call without an agent.
TEST(usage_report, says_from_when_callers_are_known) {
  const auto hour = [](const char* time) {
    return parse_time(time)->time_since_epoch() / std::chrono::hours{1};
  };
  auto report = empty_report("group_by=agent&from=2026-01-01&to=2026-03-01");
  EXPECT_THAT(report.to_json(), HasSubstr(R"("callers_known_from":null)"));
  report.callers_known_from(hour("2026-02-01"));
  EXPECT_THAT(report.to_json(), HasSubstr(R"("callers_known_from":"2026-02-01T00:00:00Z")"));
  report.callers_known_from(hour("2026-01-01"));
  EXPECT_THAT(report.to_json(), HasSubstr(R"("callers_known_from":null)")) << "all of it is";
  auto by_model = empty_report("group_by=model&from=2026-01-01&to=2026-03-01");
  by_model.callers_known_from(hour("2026-02-01"));
  EXPECT_THAT(by_model.to_json(), HasSubstr(R"("callers_known_from":null)")) << "nobody asked";
}

TEST(usage_report, a_route_that_is_gone_is_counted_as_others_of_its_action) {
  EXPECT_EQ(units().of("old-chat", "chat"), usage_unit::request);
  EXPECT_EQ(units().of("old-voice", "voice"), std::nullopt);
  EXPECT_EQ(units().of("chat", ""), usage_unit::request);
}

// For every page size and every order of the counters, the pages together are the whole report.
TEST(usage_report, pages_are_the_whole_in_parts) {
  std::mt19937 random{7};
  std::vector<quota::usage_counter> counters;
  for (int i = 0; i < 500; ++i) {
    counters.push_back(
        counter("2026-03-01", "m" + std::to_string(random() % 40), 1 + random() % 9));
    counters.back().hour += random() % 240;
    counters.back().who.agent = std::string(random() % 3, 'a');
  }
  const auto page_of = [&](const std::string& query) {
    auto report = empty_report(query);
    std::ranges::shuffle(counters, random);
    for (const auto& each : counters) report.add(each);
    return report;
  };
  const auto rows_of = [](const usage_report& report) {
    const auto csv = report.to_csv();
    return csv.substr(csv.find('\n') + 1);
  };
  const std::string question = "group_by=agent,model&limit=";
  const auto whole = rows_of(page_of(question + "10000"));
  for (const auto* limit : {"1", "7", "100", "399"}) {
    std::string together, after;
    for (bool more = true; more;) {
      const auto page = page_of(question + limit + after);
      together += rows_of(page);
      after = "&after=" + page.next_after();
      more = page.has_more();
      ASSERT_THAT(page.to_json(), HasSubstr(R"("calls":500})")) << "the total is that of all pages";
    }
    EXPECT_EQ(together, whole) << limit;
    EXPECT_EQ(rows_of(page_of(question + limit + after)), "") << "nothing comes after the last";
  }
}

}  // namespace
}  // namespace tollgate::proxy::admin
