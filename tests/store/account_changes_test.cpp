// What Redis reports as missing from a stream of events.
#include "quota/redis/account_changes.hpp"

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include "quota/redis/ledger_protocol.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

constexpr time_point at(std::int64_t ms) {
  return time_point{milliseconds{ms}};
}

class gap_test : public store_test {
 protected:
  void entry(std::string_view element) {
    raw.call({"XADD", key_of("acme", "ledger"), element, "settle", "1 0 0 1 0 0 x\t"});
  }
  void event(std::string_view id) {
    raw.call({"XADD", key_of("acme", "events"), id, "suspended", ""});
  }

  account_gap behind(const stream_positions& place, time_point told_from = at(1)) {
    const auto reply = raw.call(gap_command("acme", place, told_from).value());
    return parse_gap(*reply, place).value();
  }
};

constexpr account_gap nothing{}, usage{.events = false, .usage = true},
    events{.events = true, .usage = false};

TEST_F(gap_test, there_is_none_where_nothing_happened) {
  EXPECT_EQ(behind({"0-0", "0-0"}, at(1'000)), nothing);
  EXPECT_EQ(behind({"7-0", "7-0"}, at(1'000)), nothing);
}

TEST_F(gap_test, of_usage_from_before_it_is_told) {
  entry("1000-0");
  entry("2000-5");
  EXPECT_EQ(behind({"0-0", "0-0"}, at(1'001)), usage);
  EXPECT_EQ(behind({"0-0", "0-0"}, at(1'000)), nothing);
  EXPECT_EQ(behind({"0-0", "1000-999"}, at(2'000)), nothing);
  EXPECT_EQ(behind({"0-0", "1000-999"}, at(2'001)), usage);
  EXPECT_EQ(behind({"0-0", "2000-5999"}, at(9'000)), nothing);
}

TEST_F(gap_test, of_entries_that_were_dropped) {
  entry("1000-0");
  entry("5000-0");
  raw.call({"XTRIM", key_of("acme", "ledger"), "MINID", "=", "5000"});
  raw.call({"HSET", key_of("acme", "retained"), "entries", "4999-999999"});
  EXPECT_EQ(behind({"0-0", "3000-999"}), usage);
  EXPECT_EQ(behind({"0-0", "4999-999999"}), nothing);
  EXPECT_EQ(behind({"0-0", "5000-999"}), nothing);
}

// Earlier versions recorded a start of the ledger without dropping anything.
TEST_F(gap_test, there_is_none_of_entries_that_are_there) {
  entry("5000-0");
  raw.call({"HSET", key_of("acme", "retained"), "entries", "4999-999999"});
  EXPECT_EQ(behind({"0-0", "3000-999"}, at(5'000)), nothing);
}

TEST_F(gap_test, of_events_that_were_forgotten) {
  for (const char* id : {"1-0", "2-0", "3-0", "4-0"}) event(id);
  EXPECT_EQ(behind({"0-0", "0-0"}), nothing);
  raw.call({"XTRIM", key_of("acme", "events"), "MAXLEN", "2"});
  EXPECT_EQ(behind({"0-0", "0-0"}), events);
  EXPECT_EQ(behind({"1-0", "0-0"}), events);
  EXPECT_EQ(behind({"3-0", "0-0"}), nothing);
  EXPECT_EQ(behind({"3-7", "0-0"}), nothing);  // a place need not be the id of an event
}

TEST_F(gap_test, is_asked_only_of_places) {
  EXPECT_FALSE(gap_command("acme", {"x", "0-0"}, at(0)));
  EXPECT_FALSE(gap_command("acme", {"0-0", "x"}, at(0)));
}

}  // namespace
}  // namespace tollgate::quota::redis
