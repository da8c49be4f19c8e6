#include "proxy/archive/agreement.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy::archive {
namespace {

quota::ledger_entry entry(const std::string& id, std::int64_t micro = 5) {
  quota::ledger_entry one;
  one.id = id;
  one.subject = "HOLD";
  one.amount = quota::credits::from_micro(micro);
  return one;
}

position at(const quota::ledger_entry& last) {
  return {last.id, 0, 0, seal_of(last)};
}

TEST(agreement, needs_the_last_entry_and_what_it_said) {
  const auto last = at(entry("7-3"));
  EXPECT_TRUE(begins_with({entry("7-3"), entry("7-4")}, last));
  EXPECT_FALSE(begins_with({}, last)) << "the store ends before it";
  EXPECT_FALSE(begins_with({entry("7-4")}, last)) << "it goes on, but not from there";
  EXPECT_FALSE(begins_with({entry("7-3", 6)}, last)) << "another entry has its id";
  EXPECT_TRUE(begins_with({entry("7-3", 6)}, position{"7-3", 0, 0, ""})) << "nobody knows";
}

TEST(agreement, asks_for_nothing_that_cannot_be_there) {
  EXPECT_FALSE(is_to_be_found(position{}, "0-0")) << "nothing has been archived";
  EXPECT_TRUE(is_to_be_found(at(entry("7-3")), "0-0"));
  EXPECT_TRUE(is_to_be_found(at(entry("7-1000")), "7-999"));
  EXPECT_FALSE(is_to_be_found(at(entry("7-999")), "7-999")) << "it was dropped";
}

TEST(agreement, looks_from_right_before_it) {
  EXPECT_EQ(right_before(at(entry("7-1"))), "7-0");
  EXPECT_EQ(right_before(at(entry("7-1000"))), "7-999");
  EXPECT_EQ(right_before(at(entry("7-0"))), "6-9223372036854775807");
}

TEST(agreement, survives_the_repair_of_texts) {
  auto stored = entry("7-0"), read_back = stored;
  stored.subject = "caf\xe9";
  read_back.subject = "caf\xEF\xBF\xBD";
  EXPECT_EQ(seal_of(stored), seal_of(read_back));
}

}  // namespace
}  // namespace tollgate::proxy::archive
