#include "quota/redis/directory.hpp"

#include <set>

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

using all_accounts_test = store_test;

TEST_F(all_accounts_test, are_found_among_all_keys_of_the_store) {
  redis_directory directory{*redis};
  std::set<org_id> expected;
  for (int i = 0; i < 1'500; ++i) {  // several pages
    const auto org = "org-" + std::to_string(i);
    raw.call({"HSET", key_of(org, "account"), "granted", "1"});
    raw.call({"SET", key_of(org, "other"), "1"});
    expected.insert(org);
  }
  for (const char* key : {"tollgate:{}:account", "tollgate:{a b}:account", "tollgate:{x}:account:y",
                          "other:{x}:account", "tollgate:x:account", "tollgate:{x}"}) {
    raw.call({"SET", key, "1"});
  }
  ask(directory.change("listed", {}));
  std::set<org_id> found;
  std::string next;
  do {
    auto page = ask(directory.accounts(next));
    found.insert(page.orgs.begin(), page.orgs.end());
    next = page.next;
  } while (!next.empty());
  EXPECT_EQ(found, expected);
  EXPECT_TRUE(ask(directory.is_listed("listed")));
  EXPECT_FALSE(ask(directory.is_listed("org-1")));
}

}  // namespace
}  // namespace tollgate::quota::redis
