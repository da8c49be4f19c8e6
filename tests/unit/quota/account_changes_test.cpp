#include "quota/redis/account_changes.hpp"

#include <gtest/gtest.h>

#include "tests/support/redis_reply.hpp"

namespace tollgate::quota::redis {
namespace {

using tests::array;
using tests::bulk;

std::string element(const std::string& id, const std::vector<std::string>& texts) {
  std::vector<std::string> encoded;
  for (const auto& text : texts) encoded.push_back(bulk(text));
  return array({bulk(id), array(encoded)});
}

std::string settled(int micro) {
  return std::to_string(micro) + " 0 0 1 5 1 01HF7YAT000000000000000001\treq\tr\ta\tm\t\t\t";
}

std::string reply_of(const std::vector<std::string>& entries,
                     const std::vector<std::string>& events, bool more_entries = false) {
  const std::string more = more_entries ? ":1\r\n" : ":0\r\n";
  return array({array({bulk("90"), bulk("7"), "$-1\r\n", bulk("1"), "$-1\r\n"}), array(entries),
                array(events), more});
}

const stream_positions start{"5-0", "5-0"};

std::optional<account_changes> read(const std::string& reply,
                                    std::optional<stream_positions> after = start,
                                    std::optional<stream_positions> until = {}) {
  return parse_account_changes(*tests::parse_reply(reply), after, until);
}

TEST(changes, nothing_happened) {
  const auto changes = read("*0\r\n");
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->up_to, start);
  EXPECT_FALSE(changes->moved);
  EXPECT_FALSE(changes->more);
}

TEST(changes, adds_up_what_was_settled_and_tells_the_events) {
  const auto changes = read(reply_of({element("6-0", {"reserve", settled(9), "settle", settled(3)}),
                                      element("6-1", {"settle", settled(4)})},
                                     {element("6-0", {"usage_threshold", "percent 50"})}));
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->charged.micro(), 7);
  EXPECT_EQ(changes->calls, 2);
  EXPECT_EQ(changes->up_to, (stream_positions{"6-0", "6-1999"}));  // the end of the last element
  ASSERT_EQ(changes->events.size(), 1u);
  EXPECT_EQ(changes->events[0].facts, "percent 50");
  EXPECT_EQ(changes->row.available().micro(), 90 - 7 - 1);
  EXPECT_TRUE(changes->moved);
  EXPECT_FALSE(changes->more);
}

// A client whose position is inside an element gets the rest of it.
TEST(changes, entries_up_to_where_the_client_stands_do_not_count) {
  const auto reply = reply_of({element("6-2", {"settle", settled(3), "settle", settled(4)})}, {});
  const auto changes = read(reply, stream_positions{"5-0", "6-2000"});
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->charged.micro(), 4);
  const auto none = read(reply, stream_positions{"5-0", "6-2001"});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->moved);
  EXPECT_EQ(none->up_to.entry, "6-2999");
}

TEST(changes, a_part_goes_to_the_same_moment_in_both) {
  std::vector<std::string> entries, events;
  for (std::size_t i = 0; i < elements_a_look; ++i) {
    entries.push_back(element(std::to_string(10 + i) + "-0", {"settle", settled(1)}));
  }
  const auto last = 10 + elements_a_look - 1;
  for (const auto ms : {last - 1, last, last + 1}) {
    events.push_back(element(std::to_string(ms) + "-0", {"billing_updated", "plan p"}));
  }
  const auto changes =
      read(reply_of(entries, events, true), start, stream_positions{"900-0", "900-999"});
  ASSERT_TRUE(changes);
  EXPECT_TRUE(changes->more);
  EXPECT_EQ(changes->events.size(), 2u);  // the third is later than any entry that was read
  EXPECT_EQ(changes->up_to,
            (stream_positions{std::to_string(last) + "-0", std::to_string(last) + "-999"}));
  EXPECT_EQ(changes->calls, static_cast<std::int64_t>(elements_a_look));
}

TEST(changes, what_is_whole_goes_to_the_end_that_was_asked_for) {
  const stream_positions until{"8-0", "9-999"};
  auto changes = read(reply_of({element("6-0", {"settle", settled(3)})}, {}), start, until);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->up_to, until);
  changes = read("*0\r\n", start, until);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->up_to, until);
  const stream_positions ahead{"99-0", "5-0"};
  changes = read("*0\r\n", ahead, until);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->up_to, (stream_positions{"99-0", "9-999"}));
}

TEST(changes, where_an_account_stands) {
  const auto changes =
      read(reply_of({element("6-2", {"settle", settled(3)})}, {element("4-0", {"x", "y"})}),
           std::nullopt);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->up_to, (stream_positions{"4-0", "6-2999"}));
  EXPECT_FALSE(changes->moved);
  const auto empty = read(reply_of({}, {}), std::nullopt);
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->up_to, stream_positions{});
}

TEST(changes, what_is_no_answer_of_the_script_gives_nothing) {
  for (const auto& reply :
       {std::string{"$1\r\nx\r\n"}, array({}), array({bulk("a")}), reply_of({bulk("x")}, {}),
        reply_of({element("x", {"settle", settled(1)})}, {}),
        reply_of({element("6-0", {"settle"})}, {}),
        reply_of({element("6-0", {"settle", "x 1"})}, {}), reply_of({}, {element("6-0", {"a"})})}) {
    const bool is_nothing_new = reply == array({});
    EXPECT_EQ(read(reply).has_value(), is_nothing_new) << reply;
  }
}

TEST(changes, asks_for_the_rest_of_an_element_unless_it_is_at_its_end) {
  const auto argument = [](const stream_positions& after, std::size_t place) {
    return account_changes_command("acme", after, std::nullopt)->at(6 + place);
  };
  EXPECT_EQ(argument({"5-0", "6-2001"}, 0), "6-2");
  EXPECT_EQ(argument({"5-0", "6-2999"}, 0), "(6-2");
  EXPECT_EQ(argument({"5-0", "6-2999"}, 5), "(5-0");
  EXPECT_FALSE(account_changes_command("acme", stream_positions{"5", "6-0"}, std::nullopt));
  // A position beyond the end is replaced by the end: Redis would refuse an id that is too large.
  const auto beyond = account_changes_command(
      "acme", stream_positions{"18446744073709551615-18446744073709551615", "1-0"},
      stream_positions{"8-0", "9-999"});
  EXPECT_EQ(beyond->at(6 + 5), "(8-0");
}

}  // namespace
}  // namespace tollgate::quota::redis
