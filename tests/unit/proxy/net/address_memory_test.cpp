// The order in which the addresses of a name are tried.
#include "proxy/net/address_memory.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

using endpoint = address_memory::endpoint;
using time = address_memory::time;

std::vector<endpoint> at(std::initializer_list<const char*> addresses) {
  std::vector<endpoint> out;
  for (const char* each : addresses) out.emplace_back(boost::asio::ip::make_address(each), 80);
  return out;
}

TEST(address_memory, alternates_families_and_begins_with_the_first) {
  const address_memory memory;
  const auto order = [&](const std::vector<endpoint>& found) { return memory.in_order(found, {}); };
  EXPECT_EQ(order(at({})), at({}));
  EXPECT_EQ(order(at({"10.0.0.1", "10.0.0.2"})), at({"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(order(at({"::1", "::2", "10.0.0.1", "10.0.0.2"})),
            at({"::1", "10.0.0.1", "::2", "10.0.0.2"}));
  EXPECT_EQ(order(at({"10.0.0.1", "::1", "::2", "::3"})), at({"10.0.0.1", "::1", "::2", "::3"}));
  EXPECT_EQ(order(at({"::1", "::2", "::3", "10.0.0.1"})), at({"::1", "10.0.0.1", "::2", "::3"}));
}

TEST(address_memory, puts_those_last_that_did_not_answer) {
  address_memory memory;
  const auto all = at({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  memory.did_not_answer(all[0], time{});
  EXPECT_EQ(memory.in_order(all, time{}), at({"10.0.0.2", "10.0.0.3", "10.0.0.1"}));
  memory.did_not_answer(all[1], time{10s});
  EXPECT_EQ(memory.in_order(all, time{29s}), at({"10.0.0.3", "10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(memory.in_order(all, time{30s}), at({"10.0.0.1", "10.0.0.3", "10.0.0.2"}));
  memory.answered(all[1]);
  EXPECT_EQ(memory.in_order(all, time{30s}), all);
}

TEST(address_memory, tries_a_dead_address_less_and_less_often) {
  address_memory memory;
  const auto all = at({"10.0.0.1", "10.0.0.2"});
  const auto rests = [&](time now) { return memory.in_order(all, now)[0] != all[0]; };
  time now{};
  for (const auto length : {30s, 60s, 120s, 240s, 480s, 960s, 1920s, 3600s, 3600s}) {
    memory.did_not_answer(all[0], now);
    memory.did_not_answer(all[0], now + 1s);  // while it rests, this is no news
    EXPECT_TRUE(rests(now + length - 1s)) << length.count();
    now += length;
    EXPECT_FALSE(rests(now)) << length.count();
  }
  memory.answered(all[0]);
  memory.did_not_answer(all[0], now);
  EXPECT_FALSE(rests(now + 30s));
}

TEST(address_memory, is_bounded) {
  address_memory memory;
  for (unsigned i = 0; i < 3000; ++i) {
    memory.did_not_answer({boost::asio::ip::address_v4{0x0a000000 + i}, 80}, time{});
  }
  const endpoint last{boost::asio::ip::address_v4{0x0a000000 + 2999}, 80};
  EXPECT_NE(memory.in_order({last, at({"10.1.1.1"})[0]}, time{})[0], last);
}

}  // namespace
}  // namespace tollgate::proxy
