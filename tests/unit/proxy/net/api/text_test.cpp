#include "proxy/text/text.hpp"

#include <gtest/gtest.h>

#include "proxy/net/api/query_parameters.hpp"
#include "quota/plan.hpp"

namespace tollgate::proxy::admin {
namespace {

std::string again(std::string_view text) {
  const auto time = parse_time(text);
  return time ? to_rfc3339(*time) : "refused";
}

TEST(parse_time, reads_dates_and_rfc_3339) {
  EXPECT_EQ(again("2026-01-31"), "2026-01-31T00:00:00.000Z");
  EXPECT_EQ(again("2026-01-31T10:20:30Z"), "2026-01-31T10:20:30.000Z");
  EXPECT_EQ(again("2026-01-31T10:20Z"), "2026-01-31T10:20:00.000Z");
  EXPECT_EQ(again("2026-01-31T10:20:30.123456Z"), "2026-01-31T10:20:30.123Z");
  EXPECT_EQ(again("2026-01-31T10:20:30.5Z"), "2026-01-31T10:20:30.500Z");
  EXPECT_EQ(again("2026-01-31T00:30:00+02:00"), "2026-01-30T22:30:00.000Z");
  EXPECT_EQ(again("2026-01-31T23:30:00-0130"), "2026-02-01T01:00:00.000Z");
  EXPECT_EQ(again("2024-02-29"), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(again("1970-01-01"), "1970-01-01T00:00:00.000Z");
}

TEST(parse_time, refuses_what_is_no_time) {
  for (const auto* text :
       {"", "2026", "2026-1-1", "2026-02-29", "2026-13-01", "2026-01-32", "2026-01-31T24:00:00Z",
        "2026-01-31T10:60:00Z", "2026-01-31T10:00:00", "2026-01-31T10:00:00.Z", "2026-01-31x",
        "2026-01-31T10:00:00Zx", "1969-12-31", "1970-01-01T00:00:00+01:00", "-026-01-01",
        "2026-01-31T10:00:00+24:00"}) {
    EXPECT_EQ(again(text), "refused") << text;
  }
}

TEST(to_rfc3339_seconds, cuts_the_fraction_off) {
  EXPECT_EQ(to_rfc3339_seconds(*parse_time("2026-01-31T10:20:30.999Z")), "2026-01-31T10:20:30Z");
}

TEST(percent_decode, decodes_and_refuses) {
  EXPECT_EQ(percent_decode("a%20b%2Fc+d"), "a b/c+d");
  EXPECT_FALSE(percent_decode("%"));
  EXPECT_FALSE(percent_decode("%2"));
  EXPECT_FALSE(percent_decode("%zz"));
}

TEST(parse_count, keeps_to_its_range) {
  EXPECT_EQ(parse_count("1", 10), 1u);
  EXPECT_EQ(parse_count("10", 10), 10u);
  for (const auto* text : {"0", "11", "-1", "", "1x", " 1", "99999999999999999999"}) {
    EXPECT_FALSE(parse_count(text, 10)) << text;
  }
}

TEST(query_parameters, reads_what_is_known) {
  const auto parameters = query_parameters::parse("limit=5&after=a%2Db&", {"after", "limit"});
  ASSERT_TRUE(parameters);
  EXPECT_EQ(parameters->find("after"), "a-b");
  EXPECT_EQ(parameters->find("limit"), "5");
  EXPECT_FALSE(parameters->find("other"));
}

TEST(query_parameters, refuses_unknown_and_double_names) {
  const auto unknown = query_parameters::parse("limt=5", {"after", "limit"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().param, "limt");
  EXPECT_NE(unknown.error().message.find("\"limit\""), std::string::npos);
  EXPECT_FALSE(query_parameters::parse("limit=5&limit=6", {"limit"}));
  EXPECT_FALSE(query_parameters::parse("limit=%", {"limit"}));
}

TEST(query_parameters, an_empty_one_is_not_given) {
  const auto parameters = query_parameters::parse("after=&agent=&agent=a&limit",
                                                  {"after", "agent", "limit"}, {"agent"});
  ASSERT_TRUE(parameters);
  EXPECT_FALSE(parameters->find("after"));
  EXPECT_FALSE(parameters->find("limit"));
  EXPECT_EQ(parameters->all("agent"), (std::vector<std::string>{"", "a"}));
  EXPECT_FALSE(query_parameters::parse("after=&after=", {"after"})) << "twice is twice";
}

TEST(text, places_are_what_a_store_can_reach) {
  EXPECT_EQ(parse_place("1769853600000-12"), "1769853600000-12");
  EXPECT_EQ(parse_place("0-0"), "0-0");
  for (const auto* wrong :
       {"", "-", "1-", "-1", "1", "1-2-3", "x-1", "18446744073709551616-0",
        "1-99999999999999999999", "18446744073709551615-0", "1-18446744073709551615"}) {
    EXPECT_FALSE(parse_place(wrong)) << wrong;
  }
}

TEST(text, months) {
  EXPECT_EQ(month_text(*parse_time("2026-01-31T23:59:59.999Z")), "2026-01");
  EXPECT_EQ(parse_month("2026-01"), parse_time("2026-01-01"));
  for (const auto* wrong : {"", "2026", "2026-1", "2026-13", "2026-00", "2026-01-01", "1969-12"}) {
    EXPECT_FALSE(parse_month(wrong)) << wrong;
  }
}

TEST(text, dollars_are_exact) {
  EXPECT_EQ(usd_text(0), "0");
  EXPECT_EQ(usd_text(1), "0.01");
  EXPECT_EQ(usd_text(2'469), "24.69");
  EXPECT_EQ(usd_text(2'450), "24.5");
  EXPECT_EQ(usd_text(quota::max_cents), "9000000000");
  EXPECT_EQ(dollars_text(0), "0.00");
  EXPECT_EQ(dollars_text(1), "0.01");
  EXPECT_EQ(dollars_text(2'030), "20.30");
  EXPECT_EQ(dollars_text(-2'005), "-20.05");
  EXPECT_EQ(dollars_text(quota::max_cents), "9000000000.00");
  const auto exact = [](std::int64_t micro, std::int64_t price) {
    return exact_usd_text(quota::credits::from_micro(micro), price);
  };
  EXPECT_EQ(exact(0, 20'000), "0");
  EXPECT_EQ(exact(20'000'000, 20'000), "0.4");
  EXPECT_EQ(exact(416'667, 20'000), "0.00833334");
  EXPECT_EQ(exact(1, 1), "0.000000000001");
  EXPECT_EQ(exact(-50'000'000, 20'000), "-1");
  EXPECT_EQ(exact(quota::credits::max_micro, 1'000'000'000), "4000000000000");
}

}  // namespace
}  // namespace tollgate::proxy::admin
