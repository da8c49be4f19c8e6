#include "proxy/account/event_report.hpp"

#include <gtest/gtest.h>

#include "tests/support/moments.hpp"

namespace tollgate::proxy::admin {
namespace {

using namespace quota;

using tests::round_moment;

TEST(event_report, says_what_happened_in_words_of_the_api) {
  const account_event event{"1700000000000-3", round_moment, "usage_threshold",
                            "percent 80 used 16000000000 of 20000000000"};
  EXPECT_EQ(event_json("acme", event),
            R"({"id":"evt_1700000000000-3-822b33ad87","type":"account.usage_threshold",)"
            R"("created_at":"2023-11-14T22:13:20.000Z","org":"acme",)"
            R"("data":{"threshold_percent":80,"used_credits":16000,"of_credits":20000}})");
}

TEST(event_report, events_of_two_organizations_have_different_names) {
  EXPECT_EQ(event_name("acme", "1-0"), "evt_1-0-822b33ad87");
  EXPECT_NE(event_name("acme", "1-0"), event_name("other", "1-0"));
  EXPECT_EQ(parse_event_name("acme", event_name("acme", "1-0")), "1-0");
  EXPECT_EQ(parse_event_name("acme", "evt_1-0"), "1-0");
  EXPECT_EQ(parse_event_name("acme", "1-0"), "1-0");
  for (const auto& wrong : {event_name("other", "1-0"), std::string{"evt_1-0-822b33ad8"},
                            std::string{"-822b33ad87"}, std::string{"nonsense"}}) {
    EXPECT_EQ(parse_event_name("acme", wrong), std::nullopt) << wrong;
  }
}

TEST(event_report, names_may_have_blanks_and_money_has_cents) {
  const account_event event{"1-0", round_moment, "top_up_completed",
                            "cents 1001 credits 500500000 status paid top_up my pack \"7\""};
  EXPECT_NE(event_json("acme", event)
                .find(R"("data":{"amount_usd":10.01,"credits":500.5,)"
                      R"("status":"paid","top_up":"my pack \"7\""})"),
            std::string::npos)
      << event_json("acme", event);
}

TEST(event_report, what_counts_towards_a_cap_adds_up_to_it) {
  const auto data = [](const char* type, const char* facts) {
    const auto json = event_json("acme", {"1-0", round_moment, type, facts});
    return json.substr(json.find("\"data\":"));
  };
  EXPECT_EQ(data("spend_cap_reached",
                 "cap_cents 40 top_up_cents 0 overage 38000000 cost 18000000*20000,2000000*20000"),
            R"("data":{"spend_cap_usd":0.4,"top_ups_usd":0,"overage_credits":38,)"
            R"("overage_usd":0.4}})");
  // Two halves of a cent are one cent.
  EXPECT_EQ(data("usage_threshold",
                 "cap_percent 50 cap_cents 2000 top_up_cents 1000 overage 500000 "
                 "cost 250000*20000,250000*20000"),
            R"("data":{"threshold_spend_cap_percent":50,"spend_cap_usd":20,"top_ups_usd":10,)"
            R"("overage_credits":0.5,"overage_usd":0.01}})");
}

TEST(event_report, a_bill_says_what_it_comes_to_and_a_cycle_is_whole_seconds) {
  const auto data = [](const char* type, const char* facts) {
    const auto json = event_json("acme", {"1-0", round_moment, type, facts});
    return json.substr(json.find("\"data\":"));
  };
  EXPECT_EQ(data("overage_billed", "cycle 3 credits 416667 price 20000"),
            R"("data":{"cycle":3,"credits":0.416667,"usd_per_credit":0.02,)"
            R"("amount_usd":0.00833334}})");
  EXPECT_EQ(data("cycle_closed", "cycle 3 start 1767225600000 end 1769904000000"),
            R"("data":{"cycle":3,"start":"2026-01-01T00:00:00Z","end":"2026-02-01T00:00:00Z"}})");
}

TEST(event_report, an_alert_says_whose_it_is) {
  const auto data = [](const char* facts) {
    const auto json = event_json("acme", {"1-0", round_moment, "usage_threshold", facts});
    return json.substr(json.find("\"data\":"));
  };
  EXPECT_EQ(
      data("credits 500000000 used 500000000 of 20000000000 agent my agent 7"),
      R"("data":{"credits":500,"used_credits":500,"of_credits":20000,"agent":"my agent 7"}})");
  EXPECT_EQ(data("percent 20 used 4000000000 of 20000000000 key key_1"),
            R"("data":{"threshold_percent":20,"used_credits":4000,"of_credits":20000,)"
            R"("key":"key_1"}})");
  EXPECT_EQ(data("percent 1 used 1 of 1 conversation "),
            R"("data":{"threshold_percent":1,"used_credits":0.000001,"of_credits":0.000001,)"
            R"("conversation":null}})");
}

TEST(event_report, of_a_suspension_there_is_nothing_more_to_say) {
  EXPECT_EQ(event_json("acme", {"1700000000000-3", round_moment, "suspended", ""}),
            R"({"id":"evt_1700000000000-3-822b33ad87","type":"account.suspended",)"
            R"("created_at":"2023-11-14T22:13:20.000Z","org":"acme","data":{}})");
}

TEST(event_report, says_that_something_is_missing) {
  event_report report{"acme", stream_positions{"5-0", "6-0"}, round_moment};
  report.add(account_gap{.events = true, .usage = false});
  EXPECT_EQ(report.take(),
            "id: 5-0.6-0\nevent: gap\ndata: "
            R"({"id":"5-0.6-0","type":"gap","created_at":"2023-11-14T22:13:20.000Z",)"
            R"("org":"acme","data":{"events":true,"usage":false}})"
            "\n\n");
}

TEST(event_report, facts_of_a_later_version_are_left_out) {
  const account_event event{"1-0", round_moment, "usage_threshold", "percent 80 mood 7"};
  EXPECT_NE(event_json("acme", event).find(R"("data":{"threshold_percent":80})"),
            std::string::npos);
}

account_changes changes(stream_positions up_to, std::int64_t calls) {
  account_changes out;
  out.up_to = std::move(up_to);
  out.moved = calls > 0;
  out.calls = calls;
  out.charged = credits::from_whole(2 * calls);
  out.last_entry_at = round_moment;
  return out;
}

TEST(event_report, says_with_each_event_where_its_reader_stands) {
  event_report report{"acme", stream_positions{"5-0", "6-0"}, round_moment};
  auto happened = changes({"7-0", "8-999"}, 2);
  happened.events.push_back({"7-0", round_moment, "balance_exhausted", "available 0"});
  report.add(happened);
  report.add(account_row{});
  const auto text = report.take();
  EXPECT_TRUE(text.starts_with("id: 7-0.6-0\nevent: account.balance_exhausted\n")) << text;
  EXPECT_NE(text.find("\n\nid: 7-0.8-999\nevent: usage\n"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("data":{"credits":4,"calls":2})"), std::string::npos) << text;
  EXPECT_NE(
      text.find("\n\nid: 7-0.8-999\nevent: balance\ndata: "
                R"({"id":"7-0.8-999","type":"balance","created_at":"2023-11-14T22:13:20.000Z",)"
                R"("org":"acme","data":{"available":0,)"),
      std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("\n\n"));
  EXPECT_EQ(report.at().text(), "7-0.8-999");
  EXPECT_EQ(report.take(), "");
}

// A client that leaves between the events and the usage gets the usage when it reconnects.
TEST(event_report, what_came_in_several_answers_is_one_usage_behind_all_their_events) {
  event_report report{"acme", stream_positions{"5-0", "6-0"}, round_moment};
  for (int i = 1; i <= 3; ++i) {
    auto happened = changes({std::to_string(10 + i) + "-0", std::to_string(20 + i) + "-999"}, i);
    happened.events.push_back(
        {happened.up_to.event, round_moment, "balance_exhausted", "available 0"});
    report.add(happened);
  }
  const auto text = report.take();
  for (const auto* id : {"id: 11-0.6-0\n", "id: 12-0.6-0\n", "id: 13-0.6-0\n"}) {
    EXPECT_NE(text.find(id), std::string::npos) << text;
  }
  EXPECT_NE(text.find("id: 13-0.23-999\nevent: usage\n"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("data":{"credits":12,"calls":6})"), std::string::npos) << text;
}

TEST(event_report, entries_that_charge_nothing_only_move_on) {
  event_report report{"acme", stream_positions{"5-0", "6-0"}, round_moment};
  report.add(changes({"5-0", "9-999"}, 0));
  EXPECT_EQ(report.take(), "");
  EXPECT_EQ(report.at().text(), "5-0.9-999");
}

TEST(event_cursor, one_is_behind_by_its_event_or_by_its_entry) {
  const stream_positions here{"5-0", "1000-7"};
  EXPECT_FALSE(is_behind(here, here));
  EXPECT_TRUE(is_behind({"4-9", "1000-7"}, here));
  EXPECT_TRUE(is_behind({"5-0", "999-999"}, here));
  EXPECT_TRUE(is_behind({"6-0", "999-0"}, here));
  EXPECT_FALSE(is_behind({"10-0", "1000-10"}, here));
  EXPECT_EQ(nearer({"10-0", "999-0"}, here), (stream_positions{"5-0", "999-0"}));
}

TEST(event_cursor, is_what_was_sent_or_nothing) {
  const auto cursor = event_cursor::parse("7-0.8-2");
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->event, "7-0");
  EXPECT_EQ(cursor->entry, "8-2");
  const auto far = event_cursor::parse("18446744073709551615-18446744073709551615.0-0");
  ASSERT_TRUE(far) << "a place, but none that a store is asked to look behind";
  EXPECT_TRUE(is_behind({"253402300799998-0", "0-0"}, *far));
  EXPECT_LT(far->event.size(), 20u);
  EXPECT_FALSE(event_cursor::parse("18446744073709551616-0.0-0"));
  for (const auto* text : {"", ".", "7-0", "7-0.", ".8-2", "7.8", "7-0.x", "7-0.8-2.9"}) {
    EXPECT_FALSE(event_cursor::parse(text)) << text;
  }
}

TEST(event_cursor, the_name_of_an_event_is_a_place_behind_it) {
  const auto cursor = event_cursor::behind_event("acme", event_name("acme", "1700000000000-3"));
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->event, "1700000000000-3");
  EXPECT_EQ(cursor->entry, "1699999999999-0") << "what was charged in that step is told";
  EXPECT_FALSE(event_cursor::behind_event("acme", event_name("other", "1700000000000-3")));
  EXPECT_FALSE(event_cursor::behind_event("acme", "1700000000000-3"));
}

}  // namespace
}  // namespace tollgate::proxy::admin
