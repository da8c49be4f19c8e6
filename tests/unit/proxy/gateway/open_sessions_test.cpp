// Which session makes room for a new one.
#include "proxy/gateway/open_sessions.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

class many_sessions : public testing::Test {
 protected:
  struct one : open_sessions::entry {
    one(std::string called, many_sessions& in) : name{std::move(called)}, test{in} {
      test.all.opened(*this);
    }
    virtual ~one() { test.all.closed(*this); }
    void cut() override { test.cut.push_back(name); }
    bool is_known() const override { return known; }

    std::string name;
    many_sessions& test;
    bool known = false;
  };

  std::unique_ptr<one> open(const std::string& name) { return std::make_unique<one>(name, *this); }
  // The names of those that are cut, until none can be.
  std::vector<std::string> make_room() {
    while (all.make_room()) {
    }
    return cut;
  }

  open_sessions all;
  std::vector<std::string> cut;
};

using names = std::vector<std::string>;

TEST_F(many_sessions, strangers_go_before_customers_and_the_oldest_first) {
  const auto customer = open("customer"), first = open("first"), second = open("second");
  customer->known = true;
  all.waits(*customer);
  EXPECT_EQ(make_room(), (names{"first", "second", "customer"}));
}

TEST_F(many_sessions, those_of_customers_go_only_between_two_calls) {
  const auto calling = open("calling"), waiting = open("waiting"), later = open("later");
  for (const auto* each : {&calling, &waiting, &later}) (*each)->known = true;
  all.waits(*waiting);
  all.waits(*later);
  all.busy(*waiting);
  all.waits(*waiting);  // it has waited for less time now
  all.busy(*calling);
  EXPECT_EQ(make_room(), (names{"later", "waiting"}));
}

TEST_F(many_sessions, a_first_call_counts_once_its_key_is_known) {
  const auto honest = open("honest"), other = open("other");
  all.busy(*honest), all.busy(*other);  // their keys are not known yet
  honest->known = true;
  EXPECT_EQ(make_room(), (names{"other"}));
  all.waits(*honest);
  EXPECT_TRUE(all.make_room());
}

TEST_F(many_sessions, that_end_owe_nothing) {
  const auto ending = open("ending");
  ending->known = true;
  all.busy(*ending);
  EXPECT_FALSE(all.make_room());
  all.ends(*ending);
  EXPECT_TRUE(all.make_room());
}

TEST_F(many_sessions, those_that_were_cut_do_not_count) {
  auto first = open("first");
  const auto second = open("second");
  EXPECT_TRUE(all.is_full(2));
  EXPECT_TRUE(all.make_room());
  EXPECT_FALSE(all.is_full(2));
  EXPECT_EQ(all.connections(), 2);
  first.reset();
  EXPECT_FALSE(all.is_full(2));
  EXPECT_TRUE(all.is_full(1));
}

}  // namespace
}  // namespace tollgate::proxy
