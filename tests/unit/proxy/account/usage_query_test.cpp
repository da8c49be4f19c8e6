#include "proxy/account/usage_query.hpp"

#include <gtest/gtest.h>

#include "proxy/account/local_calendar.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {
namespace {

const quota::time_point now = *parse_time("2026-03-15T10:20:00Z");

std::int64_t hour_of(std::string_view text) {
  return quota::hour_of(*parse_time(text));
}

usage_query query_of(std::string_view text) {
  const auto parsed = usage_query::parse(text, now);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : usage_query{};
}

std::string refusal(std::string_view query) {
  const auto parsed = usage_query::parse(query, now);
  return parsed ? "" : parsed.error().param;
}

TEST(usage_query, starts_with_this_month) {
  const auto query = query_of("");
  EXPECT_EQ(query.first_hour, hour_of("2026-03-01"));
  EXPECT_EQ(query.last_hour, hour_of("2026-03-15T10:00Z"));
  EXPECT_EQ(query.by, granularity::day);
  EXPECT_FALSE(query.after);
}

TEST(usage_query, leaves_out_the_hour_that_to_names) {
  const auto query = query_of("from=2026-01-01&to=2026-02-01&granularity=month");
  EXPECT_EQ(query.first_hour, hour_of("2026-01-01"));
  EXPECT_EQ(query.last_hour, hour_of("2026-01-31T23:00Z"));
}

TEST(usage_query, widens_to_whole_hours) {
  const auto query = query_of("from=2026-01-01T10:30Z&to=2026-01-01T11:01Z");
  EXPECT_EQ(query.first_hour, hour_of("2026-01-01T10:00Z"));
  EXPECT_EQ(query.last_hour, hour_of("2026-01-01T11:00Z"));
}

TEST(usage_query, refuses_what_makes_no_sense) {
  EXPECT_EQ(refusal("from=yesterday"), "from");
  EXPECT_EQ(refusal("from=2026-02-01&to=2026-02-01"), "to");
  EXPECT_EQ(refusal("from=2026-02-02&to=2026-02-01"), "to");
  EXPECT_EQ(refusal("from=2010-01-01&to=2025-01-02"), "from");
  EXPECT_EQ(refusal("from=2016-01-01&to=2026-01-01"), "");
  EXPECT_EQ(refusal("granularity=week"), "granularity");
  EXPECT_EQ(refusal("granularity=total"), "");
  EXPECT_EQ(refusal("group_by=modell"), "group_by");
  EXPECT_EQ(refusal("group_by=model,model"), "group_by");
  EXPECT_EQ(refusal("group_by=action,model,agent,conversation,key,route"), "");
  EXPECT_EQ(refusal("time_zone=Europe/Atlantis"), "time_zone");
  EXPECT_EQ(refusal("time_zone=../../../etc/passwd"), "time_zone");
  EXPECT_EQ(refusal("limit=0"), "limit");
  EXPECT_EQ(refusal("limit=10001"), "limit");
  EXPECT_EQ(refusal("after="), "") << "an empty one is not given";
  EXPECT_EQ(refusal("from=&to=&granularity=&group_by=&time_zone=&limit=&after="), "");
  EXPECT_EQ(refusal("after=6x"), "after");
  EXPECT_EQ(refusal("from=2026-01-01&from=2026-01-02"), "from");
  EXPECT_EQ(refusal("org=other"), "org");
}

TEST(usage_query, filters_by_any_of_some_values_of_each_dimension) {
  const auto query = query_of("agent=a1&agent=&action=llm");
  const auto admits = [&](std::string action, std::string agent) {
    quota::attribution who;
    who.action = std::move(action);
    who.agent = std::move(agent);
    return query.admits(who);
  };
  EXPECT_TRUE(admits("llm", "a1"));
  EXPECT_TRUE(admits("llm", "")) << "an empty value means: not given";
  EXPECT_FALSE(admits("llm", "a2"));
  EXPECT_FALSE(admits("tts", "a1"));
  EXPECT_TRUE(query_of("").admits({}));
}

TEST(usage_query, tells_whether_callers_matter) {
  EXPECT_FALSE(query_of("group_by=action,model,key,route&model=gpt-4").asks_about_callers());
  EXPECT_TRUE(query_of("group_by=agent").asks_about_callers());
  EXPECT_TRUE(query_of("conversation=").asks_about_callers());
}

TEST(usage_query, days_are_those_of_the_time_zone) {
  const auto query = query_of("time_zone=Europe/Berlin&from=2026-03-28&to=2026-03-31");
  EXPECT_EQ(query.text_of(query.first_hour), "2026-03-28T00:00:00+01:00");
  EXPECT_EQ(query.text_of(query.last_hour + 1), "2026-03-31T00:00:00+02:00");
  const auto spring = query.bucket_of(hour_of("2026-03-29T05:00Z"));
  EXPECT_EQ(query.text_of(spring.start), "2026-03-29T00:00:00+01:00");
  EXPECT_EQ(spring.end - spring.start, 23) << "the day on which the clocks go forward";
  const auto month =
      query_of("time_zone=Europe/Berlin&granularity=month").bucket_of(hour_of("2026-02-28T23:00Z"));
  EXPECT_EQ(month.start, hour_of("2026-02-28T23:00Z")) << "already March there";
  EXPECT_EQ(month.end, hour_of("2026-03-31T22:00Z"));
}

TEST(usage_query, a_time_says_by_itself_where_it_is) {
  const auto query = query_of(
      "time_zone=America/New_York&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00%2B01:00");
  EXPECT_EQ(query.first_hour, hour_of("2026-01-01"));
  EXPECT_EQ(query.last_hour + 1, hour_of("2026-01-01T23:00Z"));
}

TEST(usage_query, an_hour_belongs_to_the_day_in_which_it_begins) {
  const auto query = query_of("time_zone=Asia/Kolkata&from=2026-01-02&to=2026-01-03");
  EXPECT_EQ(query.text_of(query.first_hour), "2026-01-02T00:30:00+05:30");
  EXPECT_EQ(query.text_of(query.last_hour + 1), "2026-01-03T00:30:00+05:30");
}

// Both by date and by time, so that no hour is in the reports of two days.
TEST(usage_query, a_day_begins_alike_however_it_is_said) {
  for (const auto& [zone, offset] :
       {std::pair{"Asia/Kathmandu", "%2B05:45"}, std::pair{"Asia/Kolkata", "%2B05:30"},
        std::pair{"America/St_Johns", "-03:30"}, std::pair{"Europe/Berlin", "%2B01:00"}}) {
    const auto in = "time_zone=" + std::string{zone};
    const auto midnight = "T00:00:00" + std::string{offset};
    const auto dates = query_of(in + "&from=2026-01-02&to=2026-01-03");
    const auto times = query_of(in + "&from=2026-01-02" + midnight + "&to=2026-01-03" + midnight);
    EXPECT_EQ(times.first_hour, dates.first_hour) << zone;
    EXPECT_EQ(times.last_hour, dates.last_hour) << zone;
    EXPECT_EQ(query_of(in + "&from=2026-01-03").first_hour, dates.last_hour + 1) << zone;
  }
  const auto widened = query_of(
      "time_zone=Asia/Kathmandu&from=2026-01-02T00:01:00%2B05:45&to=2026-01-03T00:01:00%2B05:45");
  EXPECT_EQ(widened.text_of(widened.first_hour), "2026-01-01T23:45:00+05:45");
  EXPECT_EQ(widened.text_of(widened.last_hour + 1), "2026-01-03T00:45:00+05:45");
  const auto twice = query_of("time_zone=America/Havana&from=2025-11-02T05:00Z&to=2025-11-03");
  EXPECT_EQ(twice.first_hour, hour_of("2025-11-02T05:00Z")) << "an hour after the first midnight";
}

TEST(local_calendar, every_hour_is_in_exactly_one_day) {
  for (const auto* name : {"UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe",
                           "Pacific/Apia", "Asia/Kathmandu", "America/Santiago", "Asia/Gaza"}) {
    const auto zone = time_zone::find(name).value();
    for (auto hour = hour_of("2011-01-01"); hour < hour_of("2012-02-01"); ++hour) {
      const auto day = local_day(hour, zone);
      ASSERT_LE(first_hour_of(day, zone), hour) << name;
      ASSERT_GT(first_hour_of(day + std::chrono::days{1}, zone), hour) << name;
    }
  }
}

TEST(usage_query, a_cursor_goes_on_with_the_same_question) {
  const std::string question = "group_by=agent,model&limit=2&agent=a1";
  const auto query = query_of(question);
  const usage_row_key last{hour_of("2026-03-02"), {"a1", ""}};
  const auto next = query_of(question + "&after=" + query.cursor(last));
  EXPECT_EQ(next.after, last);
  const auto later =
      usage_query::parse(question + "&after=" + query.cursor(last), now + std::chrono::days{30});
  ASSERT_TRUE(later);
  EXPECT_EQ(later->first_hour, query.first_hour) << "the range stays what it was";
  EXPECT_EQ(later->last_hour, query.last_hour);
}

TEST(usage_query, a_cursor_is_good_for_no_other_question) {
  const auto cursor = query_of("group_by=agent").cursor({hour_of("2026-03-02"), {"a1"}});
  EXPECT_EQ(refusal("group_by=agent&after=" + cursor), "");
  EXPECT_EQ(refusal("group_by=agent&limit=7&after=" + cursor), "");
  for (const auto* other :
       {"group_by=model", "", "group_by=agent,model", "group_by=agent&agent=a1",
        "group_by=agent&granularity=hour", "group_by=agent&from=2026-02-01",
        "group_by=agent&time_zone=Europe/Berlin", "group_by=agent&to=2026-03-10"}) {
    EXPECT_EQ(refusal(std::string{other} + "&after=" + cursor), "after") << other;
  }
  const auto forged = [&](const std::string& hours) {
    const auto text = from_hex_text(cursor).value();
    return to_hex_text(text.substr(0, text.find(' ')) + ' ' + hours + "\ta1");
  };
  EXPECT_EQ(refusal("group_by=agent&after=" + forged("0 1 0")), "");
  for (const auto* hours : {"-9223372036854775808 9223372036854775807 0", "-1 0 0",
                            "0 9223372036854775807 0", "0 1 99999999999", "0 1"}) {
    EXPECT_EQ(refusal("group_by=agent&after=" + forged(hours)), "after") << hours;
  }
  for (std::size_t size = 2; size < cursor.size(); size += 2) {
    const auto cut = usage_query::parse("group_by=agent&after=" + cursor.substr(0, size), now);
    if (cut) {
      EXPECT_LT(cut->after->names.at(0).size(), 2u);
    }
  }
}

}  // namespace
}  // namespace tollgate::proxy::admin
