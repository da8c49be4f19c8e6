#include "proxy/admin/event_report.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::admin {
namespace {

using namespace quota;

constexpr time_point noon{milliseconds{1'700'000'000'000}};

TEST(event_report, says_what_happened_in_words_of_the_api) {
  const account_event event{"1700000000000-3", noon, "usage_threshold",
                            "percent 80 used 16000000000 of 20000000000"};
  EXPECT_EQ(event_json("acme", event),
            R"({"id":"evt_1700000000000-3","type":"account.usage_threshold",)"
            R"("created_at":"2023-11-14T22:13:20.000Z","org":"acme",)"
            R"("data":{"threshold_percent":80,"used_credits":16000,"of_credits":20000}})");
}

TEST(event_report, names_may_have_blanks_and_money_has_cents) {
  const account_event event{"1-0", noon, "top_up_completed",
                            "cents 1001 credits 500500000 status paid top_up my pack \"7\""};
  EXPECT_NE(event_json("acme", event)
                .find(R"("data":{"amount_usd":10.01,"credits":500.5,)"
                      R"("status":"paid","top_up":"my pack \"7\""})"),
            std::string::npos)
      << event_json("acme", event);
}

TEST(event_report, an_alert_says_whose_it_is) {
  const auto data = [](const char* facts) {
    const auto json = event_json("acme", {"1-0", noon, "usage_threshold", facts});
    return json.substr(json.find("\"data\":"));
  };
  EXPECT_EQ(data("credits 500000000 used 500000000 of 20000000000 agent my agent 7"),
            R"("data":{"credits":500,"used_credits":500,"of_credits":20000,"agent":"my agent 7"}})");
  EXPECT_EQ(data("percent 20 used 4000000000 of 20000000000 key key_1"),
            R"("data":{"threshold_percent":20,"used_credits":4000,"of_credits":20000,)"
            R"("key":"key_1"}})");
  EXPECT_EQ(data("percent 1 used 1 of 1 conversation "),
            R"("data":{"threshold_percent":1,"used_credits":0.000001,"of_credits":0.000001,)"
            R"("conversation":null}})");
}

TEST(event_report, facts_of_a_later_version_are_left_out) {
  const account_event event{"1-0", noon, "usage_threshold", "percent 80 mood 7"};
  EXPECT_NE(event_json("acme", event).find(R"("data":{"threshold_percent":80})"),
            std::string::npos);
}

TEST(event_report, a_stream_says_where_it_stands_and_when_to_come_again) {
  event_report report{"acme", {"5-0", "6-0"}};
  report.add(account_event{"7-0", noon, "balance_exhausted", "available 0"});
  std::vector<ledger_entry> entries(3);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].id = "8-" + std::to_string(i);
    entries[i].at = noon;
    entries[i].type = i == 0 ? entry_type::reserve : entry_type::settle;
    entries[i].amount = credits::from_whole(2);
  }
  report.add(entries);
  const auto text = report.take();
  EXPECT_TRUE(text.starts_with("retry: 1000\n\nid: 7-0.6-0\nevent: account.balance_exhausted\n"));
  EXPECT_NE(text.find("id: 7-0.8-2\nevent: usage\n"), std::string::npos);
  EXPECT_NE(text.find(R"("data":{"credits":4,"calls":2})"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\n\n"));
}

TEST(event_cursor, is_what_was_sent_or_nothing) {
  const auto cursor = event_cursor::parse("7-0.8-2");
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->event, "7-0");
  EXPECT_EQ(cursor->entry, "8-2");
  for (const auto* text : {"", ".", "7-0", "7-0.", ".8-2", "7.8", "7-0.x", "7-0.8-2.9"}) {
    EXPECT_FALSE(event_cursor::parse(text)) << text;
  }
}

}  // namespace
}  // namespace tollgate::proxy::admin
