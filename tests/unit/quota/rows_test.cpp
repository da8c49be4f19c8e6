#include "quota/redis/rows.hpp"

#include <gtest/gtest.h>

#include "tests/support/describe.hpp"
#include "tests/support/redis_reply.hpp"

namespace tollgate::quota::redis {
namespace {

using tests::array;
using tests::bulk;

std::string flat(const std::vector<std::string>& texts) {
  std::vector<std::string> encoded;
  for (const auto& text : texts) encoded.push_back(bulk(text));
  return array(encoded);
}

const std::string settled =
    "7 3 0 1 -90 4 01HF7YAT000000000000000001\treq\tchat\tllm\tgpt-4\ta1\t\tkey_1";

std::string element(const std::string& id, const std::vector<std::string>& entries) {
  return array({bulk(id), flat(entries)});
}

TEST(rows, an_account_that_was_never_written_is_empty) {
  EXPECT_EQ(parse_row(*tests::parse_reply("*0\r\n")), account_row{});
}

TEST(rows, reads_an_account) {
  const auto row = parse_row(
      *tests::parse_reply(flat({"granted", "4000000000000000", "settled", "25", "held", "40",
                                "suspended", "1", "next_due", "5", "kept_hour", "6"})));
  ASSERT_TRUE(row);
  EXPECT_EQ(tests::describe(*row),
            "granted 4000000000000000 settled 25 held 40 expired 0 suspended");
  EXPECT_FALSE(parse_row(*tests::parse_reply(flat({"granted", "1e15"}))));
  EXPECT_FALSE(parse_row(*tests::parse_reply(flat({"held", "4 "}))));
}

TEST(rows, reads_the_entries_of_an_element) {
  const auto entries = parse_entries(*tests::parse_reply(element(
      "1700000000123-4", {"settle", settled, "grant", "5 0 0 0 -85 0 my id\tpurchase\ta note"})));
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ(entries->at(0).id, "1700000000123-4000");
  EXPECT_EQ(entries->at(0).at, time_point{milliseconds{1'700'000'000'123}});
  EXPECT_EQ(tests::describe(entries->at(0)),
            "settle 01HF7YAT000000000000000001 amount 7 released 3 overage 0 available -90 used 1 "
            "cycle 4 "
            "request req by chat/llm/gpt-4/a1/-/key_1 kind  note ");
  EXPECT_EQ(entries->at(1).id, "1700000000123-4001");
  EXPECT_EQ(entries->at(1).subject, "my id");
  EXPECT_EQ(entries->at(1).kind, "purchase");
  EXPECT_EQ(entries->at(1).note, "a note");
}

TEST(rows, seconds_of_audio_are_billed_beside) {
  const auto entries = parse_entries(*tests::parse_reply(
      element("1-0", {"settle", "7 3 0 4800000/5000000 -90 0 id\treq\tr\ta\tm\t\t\tk"})));
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->at(0).used, 4'800'000);
  EXPECT_EQ(entries->at(0).billed_us, 5'000'000);
  EXPECT_EQ(entries->at(0).available, credits::from_micro(-90));
  const auto counter = parse_counter(5, "r\ta\tm\t\t\tk", "7 1 4800000 5000000");
  ASSERT_TRUE(counter);
  EXPECT_EQ(counter->billed_us, 5'000'000);
  EXPECT_EQ(parse_counter(5, "r", "7 1 4800000")->billed_us, 0);
  for (const auto* packed : {"7 1 4 x", "7 1 4 5 6", "7 1 4/5"}) {
    EXPECT_FALSE(parse_counter(5, "r", packed)) << packed;
  }
}

TEST(rows, an_entry_says_where_it_stands) {
  EXPECT_EQ(element_of("1700000000123-4001"), "1700000000123-4");
  EXPECT_EQ(element_of("1700000000123-0"), "1700000000123-0");
  EXPECT_EQ(element_of("0-0"), "0-0");
  for (const auto* wrong : {"", "1", "1-", "-1", "1-x", "x-1", "1-1-1", "1-99999999999999999999"}) {
    EXPECT_FALSE(element_of(wrong)) << wrong;
  }
}

TEST(rows, refuses_what_is_no_entry) {
  for (const auto* text : {"", "7", "7 3 0 1", "x 3 0 1 -90 0 id\tby", "7 x 0 1 -90 0 id\tby",
                           "7 3 x 1 -90 0 id\tby", "7 3 0 x -90 0 id\tby", "7 3 0 1/x -90 0 id\tby",
                           "7 3 0 1 x 0 id\tby", "7 3 0 1 -90 id\tby"}) {
    EXPECT_FALSE(parse_entries(*tests::parse_reply(element("1-0", {"settle", text})))) << text;
  }
  EXPECT_FALSE(parse_entries(*tests::parse_reply(element("1-0", {"settled", settled}))));
  EXPECT_FALSE(parse_entries(*tests::parse_reply(element("1-0", {"settle"}))));
  EXPECT_FALSE(parse_entries(*tests::parse_reply(element("1-0", {}))));
  EXPECT_FALSE(parse_entries(*tests::parse_reply(element("x", {"settle", settled}))));
  EXPECT_FALSE(parse_entries(*tests::parse_reply(array({bulk("1-0")}))));
  EXPECT_FALSE(parse_entries(*tests::parse_reply(bulk("settle"))));
  EXPECT_FALSE(parse_entries(*tests::parse_reply(array({bulk("1-0"), ":5\r\n"}))));
}

TEST(rows, reads_what_a_hold_is_settled_at_when_it_expires) {
  const auto read = [](const std::string& hour) {
    return parse_hold(
        "01HF7YAT000000000000000001",
        "40 1700000060000 " + hour + " 1700000000000 req\tchat\tllm\tgpt-4\ta1\tc1\tkey_1");
  };
  EXPECT_FALSE(read("472222")->answered);  // also in the form of earlier releases
  EXPECT_EQ(read("472222:30:1")->answered, (use{credits::from_micro(30), 1, 0}));
  EXPECT_EQ(read("472222:30:5/6")->answered, (use{credits::from_micro(30), 5, 6}));
  for (const auto* spoilt : {"472222:30", "472222:30:", "472222:x:1", "472222:30:1/x", ":30:1"}) {
    EXPECT_FALSE(read(spoilt)) << spoilt;
  }
}

TEST(rows, reads_a_hold) {
  const auto hold =
      parse_hold("01HF7YAT000000000000000001",
                 "40 1700000060000 472222 1700000000000 req\tchat\tllm\tgpt-4\ta1\tc1\tkey_1");
  ASSERT_TRUE(hold);
  EXPECT_EQ(hold->amount.micro(), 40);
  EXPECT_EQ(hold->expires_at, time_point{milliseconds{1'700'000'060'000}});
  EXPECT_EQ(hold->placed_at, time_point{milliseconds{1'700'000'000'000}});
  EXPECT_EQ(hold->request_id, "req");
  EXPECT_EQ(hold->who, (attribution{"chat", "llm", "gpt-4", "a1", "c1", "key_1"}));
  EXPECT_FALSE(parse_hold("short", "40 1 2 3 req"));
  EXPECT_FALSE(parse_hold("01HF7YAT000000000000000001", ""));
  EXPECT_FALSE(parse_hold("01HF7YAT000000000000000001", "40 x 2 3 req"));
}

TEST(rows, reads_a_grant) {
  const auto grant =
      parse_grant("g1", "-5 1700000000000 1700003600000 40 correction\ta note\twith a tab");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->amount.micro(), -5);
  EXPECT_EQ(grant->expires_at, time_point{milliseconds{1'700'003'600'000}});
  EXPECT_EQ(grant->priority, 40);
  EXPECT_EQ(grant->kind, "correction");
  EXPECT_EQ(grant->note, "a note\twith a tab");
  EXPECT_FALSE(parse_grant("g1", "five 1 0 50 purchase\t"));
}

TEST(rows, reads_a_counter) {
  const auto counter = parse_counter(472'222, "chat\tllm\t\t\t\tkey_1", "20000000 2 2");
  ASSERT_TRUE(counter);
  EXPECT_EQ(counter->hour, 472'222);
  EXPECT_EQ(counter->charged, credits::from_whole(20));
  EXPECT_EQ(counter->calls, 2);
  EXPECT_EQ(counter->who, (attribution{"chat", "llm", "", "", "", "key_1"}));
  EXPECT_FALSE(parse_counter(1, "", "20000000 2"));
}

const std::string books_text =
    "1 2 1 70 10 20 30 40 -5 6 7 8 9 11 12 20000 1234500000@20000,5@1\tstarter";

TEST(rows, reads_the_books_of_a_cycle) {
  const auto books = parse_cycle("3", books_text);
  ASSERT_TRUE(books);
  EXPECT_EQ(
      tests::describe(*books),
      "3 1 2 1 settled 70 allocation 10 purchase 20 top_up 30 promotion 40 correction -5 rolled "
      "6 7 forfeited 8 room 9 11 12 starter 20000 billed 1234500000 20000 billed 5 1");
  for (const auto* text : {"", "1 2 3", "1 2 1 70 10 20 30 40 -5 6 7 8 9 11 12 x -\t",
                           "1 2 1 70 10 20 30 40 -5 6 7 8 9 11 12 20000 5@\t"}) {
    EXPECT_FALSE(parse_cycle("3", text)) << text;
  }
}

TEST(rows, reads_a_top_up) {
  const auto top_up = parse_top_up("tu_1", "a 4 1000 500000000 5 6 7 8 9");
  ASSERT_TRUE(top_up);
  EXPECT_EQ(tests::describe(*top_up), "tu_1 1 timed_out 1000 500000000 5 6 7 8 9 0 0 0");
  const auto refunded = parse_top_up("tu_1", "m 2 1000 500000000 5 6 7 8 9 2 300 40");
  ASSERT_TRUE(refunded);
  EXPECT_EQ(tests::describe(*refunded), "tu_1 0 paid 1000 500000000 5 6 7 8 9 2 300 40");
  for (const auto* text :
       {"", "a", "x 4 1 1 1 1 1 1 1", "m 5 1 1 1 1 1 1 1", "m 1 1 1 1 1 1 1", "a 4 1 1 1 1 1 1 1 1",
        "a 4 1 1 1 1 1 1 1 1 2", "a 4 1 1 1 1 1 1 1 1 2 x"}) {
    EXPECT_FALSE(parse_top_up("tu_1", text)) << text;
  }
}

TEST(rows, reads_plan_and_grants_of_an_account) {
  const auto account =
      flat({"plan", "31 4 1700000000000 1702000000000 5000000 7 2", "alerts",
            "1 0 80\n0 2 9\n1700000000007 2 5 0 a b", "terms", "5 100 1 20000 1000 60 100 pro",
            "next_terms", "", "options", "1 5000 -1 7 25", "limits", "9 0 1 8 a b\n10 2 3 1 *",
            "active", "10 0 1 5 4 purchase the id\n30 99 1 7 7 allocation allocation:4", "kept",
            "= 50 6 3\n30 50 1 9 6 allocation allocation:3", "mark", "12"});
  const auto plan = parse_plan(*tests::parse_reply(account));
  ASSERT_TRUE(plan && *plan);
  EXPECT_EQ(
      tests::describe(*plan),
      "pro 5 100 1 20000 1000 60 100  31 4 1700000000000 1702000000000 5000000 overage 1 5000 -1 "
      "7 25 0 limit agent a b 8 day 9 limit key * 1 total 10 times 1702000000000 0 owed 7 0 1 "
      "alert 0 80 1 alert 2 9 0 "
      "alert 2 5 1 of agent a b since 1700000000007");
  const auto grants = parse_grants(*tests::parse_reply(account));
  ASSERT_TRUE(grants);
  EXPECT_EQ(grants->mark.micro(), 12);
  EXPECT_EQ(
      tests::describe(*grants),
      "[the id purchase 10 0 1 5 left 4] [allocation:4 allocation 30 99 1 7 left 7] kept until 50 "
      "claims 6 3 [allocation:3 allocation 30 50 1 9 left 6]");
  EXPECT_EQ(parse_plan(*tests::parse_reply(flat({})))->has_value(), false);
  EXPECT_FALSE(
      parse_plan(*tests::parse_reply(flat({"plan", "31 4", "terms", "x", "options", "y"}))));
  EXPECT_FALSE(parse_plan(
      *tests::parse_reply(flat({"plan", "31 4 1 2 5 7 2", "alerts", "x 0 80", "terms",
                                "5 100 1 20000 1000 60 100 pro", "options", "1 5000 -1 7 25"}))));
  EXPECT_FALSE(parse_grants(*tests::parse_reply(flat({"active", "1 2 3"}))));
  EXPECT_FALSE(parse_grants(*tests::parse_reply(flat({"kept", "30 50 1 9 6 allocation x"}))));
}

TEST(rows, reads_a_snapshot) {
  const auto snapshot = parse_snapshot(*tests::parse_reply(array(
      {flat({"granted", "100", "held", "70"}),
       flat({"01HF7YAT000000000000000002", "30 1700000060000 472222 1 r\t\t\t\t\t\t",
             "01HF7YAT000000000000000001", "40 1700000060000 472222 1 r\t\t\t\t\t\t"}),
       array({element("1700000000123-4", {"settle", settled, "settle", settled})}), flat({})})));
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->row.held.micro(), 70);
  ASSERT_EQ(snapshot->holds.size(), 2u);
  EXPECT_LT(snapshot->holds[0].id, snapshot->holds[1].id);
  EXPECT_EQ(snapshot->last_entry_id, "1700000000123-4001");
  EXPECT_FALSE(parse_snapshot(*tests::parse_reply("*0\r\n")));
  EXPECT_FALSE(parse_snapshot(*tests::parse_reply(":1\r\n")));
}

}  // namespace
}  // namespace tollgate::quota::redis
