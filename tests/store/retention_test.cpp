// What is dropped of a ledger, what is recorded of it, and what readers are told.
#include "quota/redis/retention.hpp"

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

class retention_test : public store_test {
 protected:
  // Elements of one entry each, at 1000, 2000, …
  void write(int count) {
    for (int i = 1; i <= count; ++i) {
      raw.call({"XADD", key_of("acme", "ledger"), std::to_string(i * 1000) + "-0", "settle",
                "1000000 0 0 1 0 0 x\tr\tchat\tllm\tgpt-4\t\t\tkey_1"});
    }
  }
  void record(std::string_view id) {
    raw.call({"HSET", key_of("acme", "retained"), "entries", id});
  }
  std::string recorded() {
    return std::string{text_of(*raw.call({"HGET", key_of("acme", "retained"), "entries"}))};
  }
  long long length() { return raw.call({"XLEN", key_of("acme", "ledger")})->integer; }
  std::string first() {
    const auto found = raw.call({"XRANGE", key_of("acme", "ledger"), "-", "+", "COUNT", "1"});
    return std::string{text_of(*elements_of(*elements_of(*found)[0])[0])};
  }
  // In as many calls as are necessary.
  void drop_before(const std::string& entry) {
    for (int i = 0; i < 100; ++i) {
      if (ask(retention.drop_entries("acme", entry))) return;
    }
    FAIL() << "it never has dropped all";
  }
  std::string told() { return ask(retention.what_is_retained("acme")).dropped_through; }
  // The first entry after it; "archived": the store has not all of them.
  std::string read_after(const std::string& id) {
    const auto page = outcome_of(store.entries("acme", id, 1));
    if (!page) return page.error() == store_errc::archived ? "archived" : page.error().message();
    return page->empty() ? "nothing" : page->front().id;
  }

  redis_retention retention{*redis};
  redis_store store{*redis};
};

TEST_F(retention_test, nothing_is_recorded_where_nothing_is_that_old) {
  write(61);
  drop_before("1000-0");
  drop_before("999-0");
  EXPECT_EQ(recorded(), "");
  EXPECT_EQ(length(), 61);
  EXPECT_EQ(read_after("0-0"), "1000-0");
}

TEST_F(retention_test, nothing_is_recorded_of_a_ledger_without_entries) {
  drop_before("1000-0");
  EXPECT_EQ(recorded(), "");
  EXPECT_EQ(told(), "0-0");
}

TEST_F(retention_test, exactly_what_is_old_is_dropped_and_recorded) {
  write(350);  // a node of the stream has 100 elements
  for (const int at : {2, 3, 130, 131, 349, 350}) {
    const auto id = std::to_string(at * 1000) + "-0";
    drop_before(id);
    const auto before = std::to_string(at * 1000 - 1) + "-999999";
    EXPECT_EQ(recorded(), before);
    EXPECT_EQ(told(), before);
    EXPECT_EQ(first(), id);
    EXPECT_EQ(length(), 351 - at);
    EXPECT_EQ(read_after("0-0"), "archived");
    EXPECT_EQ(read_after(before), id);
  }
}

TEST_F(retention_test, the_start_of_a_ledger_never_moves_back) {
  write(10);
  drop_before("5000-0");
  drop_before("3000-0");
  EXPECT_EQ(recorded(), "4999-999999");
  EXPECT_EQ(length(), 6);
}

// Earlier versions recorded the time of a retention that had not been reached by any entry.
TEST_F(retention_test, a_start_that_was_recorded_for_nothing_hides_no_entry) {
  write(61);
  for (const char* id : {"500-0", "30500-999999", "99000-999999"}) {
    record(id);
    EXPECT_EQ(told(), "0-0") << id;
    EXPECT_EQ(read_after("0-0"), "1000-0") << id;
  }
}

TEST_F(retention_test, after_something_was_dropped_the_recorded_start_is_believed) {
  write(61);
  raw.call({"XTRIM", key_of("acme", "ledger"), "MINID", "=", "2000"});
  record("30500-999999");
  EXPECT_EQ(told(), "30500-999999");
  EXPECT_EQ(read_after("0-0"), "archived");
  raw.call({"DEL", key_of("acme", "ledger")});
  EXPECT_EQ(told(), "30500-999999");
}

TEST_F(retention_test, what_is_told_of_usage_stands_beside_it) {
  raw.call({"HSET", key_of("acme", "retained"), "hour", "48", "day", "3", "hours_from", "2",
            "days_from", "1"});
  const auto found = ask(retention.what_is_retained("acme"));
  EXPECT_EQ(found, (retained{"0-0", 48, 3, 2, 1}));
}

}  // namespace
}  // namespace tollgate::quota::redis
