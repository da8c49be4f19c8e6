// Which session makes room for a new one.
#include "proxy/gateway/open_sessions.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

class many_sessions : public testing::Test {
 protected:
  struct played_call final : admitted_call {
    const quota::key_hash* admitted_by() override { return nullptr; }
    void lost_access(key_cache::standing) override {}
    wait waits() const override { return for_what; }
    wait for_what = wait::for_others;
  };

  struct one : open_sessions::entry {
    one(std::string called, many_sessions& in) : name{std::move(called)}, test{in} {
      test.all.opened(*this);
    }
    virtual ~one() { test.all.closed(*this); }
    void cut() override { test.cut.push_back(name); }
    bool is_known() const override { return known; }
    const std::string& payer() const override { return org; }
    void begins_call(admitted_call::wait for_what = admitted_call::wait::for_others) {
      its.for_what = for_what;
      call = &its;
      test.all.busy(*this);
    }

    std::string name, org;
    many_sessions& test;
    bool known = false;
    played_call its;
  };

  std::unique_ptr<one> open(const std::string& name) { return std::make_unique<one>(name, *this); }
  // Their names are those of their organization.
  std::vector<std::unique_ptr<one>> open(int count, const std::string& org) {
    std::vector<std::unique_ptr<one>> out;
    for (int i = 0; i < count; ++i) {
      auto& each = *out.emplace_back(open(org));
      each.org = org;
      each.known = !org.empty();
    }
    return out;
  }
  // The names of those that are cut, until none can be.
  std::vector<std::string> make_room() {
    while (all.make_room(now)) {
    }
    return cut;
  }

  open_sessions all;
  steady_time now{1h};
  std::vector<std::string> cut;
};

using names = std::vector<std::string>;
constexpr auto for_client = admitted_call::wait::for_client,
               for_upload = admitted_call::wait::for_upload;

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
  calling->begins_call();
  EXPECT_EQ(make_room(), (names{"later", "waiting"}));
}

TEST_F(many_sessions, a_first_call_counts_once_its_key_is_known) {
  const auto honest = open("honest"), other = open("other");
  honest->begins_call(), other->begins_call();  // their keys are not known yet
  honest->known = true;
  EXPECT_EQ(make_room(), (names{"other"}));
  honest->call = nullptr;
  all.waits(*honest);
  EXPECT_TRUE(all.make_room(now + 1ms));
}

TEST_F(many_sessions, that_end_owe_nothing) {
  const auto ending = open("ending");
  ending->known = true;
  ending->begins_call();
  EXPECT_FALSE(all.make_room(now));
  all.ends(*ending);
  EXPECT_TRUE(all.make_room(now + 1ms));
}

TEST_F(many_sessions, those_that_were_cut_do_not_count) {
  auto first = open("first");
  const auto second = open("second");
  EXPECT_TRUE(all.is_full(2));
  EXPECT_TRUE(all.make_room(now));
  EXPECT_FALSE(all.is_full(2));
  EXPECT_EQ(all.connections(), 2);
  first.reset();
  EXPECT_FALSE(all.is_full(2));
  EXPECT_TRUE(all.is_full(1));
}

// One that waits for the store takes its memory until that has answered.
TEST_F(many_sessions, few_may_be_leaving) {
  constexpr int most = 16;
  std::vector<std::unique_ptr<one>> strangers;
  for (int i = 0; i < 100 && !all.has_too_many_leaving(most); ++i) {
    if (all.is_full(most)) EXPECT_TRUE(all.make_room(now));
    strangers.push_back(open("stranger"));
  }
  EXPECT_EQ(all.connections(), most + open_sessions::spare_of(most));
  strangers.pop_back();
  EXPECT_FALSE(all.has_too_many_leaving(most));
}

TEST_F(many_sessions, a_call_that_waits_for_its_client_makes_room) {
  const auto slow = open(1, "acme"), served = open(1, "acme");
  slow[0]->name = "slow";
  slow[0]->begins_call(for_client), served[0]->begins_call();
  EXPECT_EQ(make_room(), (names{"slow"}));
}

TEST_F(many_sessions, the_organization_with_the_most_makes_room) {
  const auto honest = open(2, "honest");
  for (const auto& each : honest) all.waits(*each);
  const auto slow = open(5, "poor");
  for (const auto& each : slow) each->begins_call(for_client);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(all.make_room(now));
  EXPECT_EQ(cut, (names{"poor", "poor", "poor"}));
}

TEST_F(many_sessions, that_have_just_come_do_not_go_before_those_of_a_crowd) {
  const auto crowd = open(30, "poor");
  for (const auto& each : crowd) each->begins_call(for_client);
  const auto fresh = open("fresh");
  EXPECT_TRUE(all.make_room(now));
  EXPECT_EQ(cut, (names{"poor"}));
  const auto strangers = open(4, "");
  EXPECT_TRUE(all.make_room(now));
  EXPECT_EQ(cut, (names{"poor", "fresh"}));
}

TEST_F(many_sessions, that_upload_make_room_only_of_an_organization_with_more_than_half) {
  const auto others = open(4, "others");
  for (const auto& each : others) each->begins_call(for_upload);
  EXPECT_TRUE(all.make_room(now));  // all of them are its
  const auto idle = open(1, "honest"), more = open(3, "honest");
  all.waits(*idle[0]);
  for (const auto& each : more) each->begins_call();
  EXPECT_TRUE(all.make_room(now));  // it has three of eight: the idle one goes
  EXPECT_EQ(cut, (names{"others", "honest"}));
  EXPECT_FALSE(all.make_room(now));
}

TEST_F(many_sessions, are_searched_for_several_at_once) {
  const auto crowd = open(640, "poor");
  for (const auto& each : crowd) each->begins_call(for_client);
  EXPECT_TRUE(all.make_room(now));
  EXPECT_EQ(cut.size(), 11U);
}

TEST_F(many_sessions, in_use_are_searched_once_at_a_time) {
  const auto one = open(1, "acme");
  one[0]->begins_call();
  EXPECT_FALSE(all.make_room(now));
  one[0]->its.for_what = for_client;
  EXPECT_FALSE(all.make_room(now));
  EXPECT_TRUE(all.make_room(now + 1ms));
}

}  // namespace
}  // namespace tollgate::proxy
