#include "quota/redis/directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include "quota/redis/ledger_protocol.hpp"
#include "quota/redis/rows.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

using testing::ElementsAre;

class suspension_test : public store_test {
 protected:
  // Returns whether the change wrote an event.
  bool change(const organization_change& what) {
    const auto reply = raw.call(change_command("acme", what));
    EXPECT_EQ(reply->type, REDIS_REPLY_ARRAY) << text_of(*reply);
    return elements_of(*reply).at(3)->integer == 1;
  }
  bool suspend(bool suspended) {
    organization_change what;
    what.suspended = suspended;
    return change(what);
  }
  std::vector<std::string> events() {
    std::vector<std::string> types;
    const auto reply = raw.call({"XRANGE", key_of("acme", "events"), "-", "+"});
    for (const auto* element : elements_of(*reply)) {
      const auto event = parse_event(*element).value();
      types.push_back(event.type + event.facts);
    }
    return types;
  }
  std::string field(std::string_view key) {
    return std::string{text_of(*raw.call({"HGET", key_of("acme", key), "suspended"}))};
  }
};

TEST_F(suspension_test, is_told_once_for_each_change) {
  EXPECT_FALSE(suspend(false));  // the initial state
  EXPECT_TRUE(suspend(true));
  EXPECT_EQ(field("account"), "1");
  EXPECT_EQ(field("settings"), "1");
  EXPECT_FALSE(suspend(true));
  EXPECT_TRUE(suspend(false));
  EXPECT_EQ(field("account"), "0");
  EXPECT_FALSE(suspend(false));
  EXPECT_THAT(events(), ElementsAre("suspended", "resumed"));
}

TEST_F(suspension_test, is_not_told_with_a_change_that_does_not_happen) {
  organization_change what;
  what.suspended = true;
  what.options.emplace();
  what.instead_of.emplace().overage = false;
  EXPECT_FALSE(change(what));
  EXPECT_EQ(field("account"), "");
  EXPECT_THAT(events(), ElementsAre());
}

TEST_F(suspension_test, other_changes_say_nothing_of_it) {
  suspend(true);
  organization_change what;
  what.shadow = true;
  EXPECT_FALSE(change(what));
  EXPECT_EQ(field("account"), "1");
  EXPECT_THAT(events(), ElementsAre("suspended"));
}

}  // namespace
}  // namespace tollgate::quota::redis
