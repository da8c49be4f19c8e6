// The parts of a call's time.
#include "proxy/gateway/exchange/call_times.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;
using enum call_part;

TEST(call_times, have_neither_gaps_nor_overlaps) {
  const steady_time start{1h};
  call_times times{start};
  EXPECT_EQ(times.enter(store, start + 1ms), overhead);
  EXPECT_EQ(times.enter(overhead, start + 3ms), store);
  times.enter(upstream, start + 4ms);
  times.enter(response, start + 9ms);
  times.enter(response, start + 19ms);
  EXPECT_EQ(times.us(overhead), 2'000);
  EXPECT_EQ(times.us(store), 2'000);
  EXPECT_EQ(times.us(upstream), 5'000);
  EXPECT_EQ(times.us(response), 10'000);
}

TEST(call_times, return_to_the_part_before_a_wait) {
  call_times times{std::chrono::steady_clock::now()};
  times.enter(upstream);
  {
    const waiting_for client{times, request};
    EXPECT_EQ(times.current(), request);
    const waiting_for ledger{times, store};
    EXPECT_EQ(times.current(), store);
  }
  EXPECT_EQ(times.current(), upstream);
}

TEST(call_times, of_a_response_take_all_time) {
  call_times times{std::chrono::steady_clock::now()};
  times.enter(upstream);
  {
    const waiting_for client{times, request};
    times.enter(response);  // the upstream answers during an upload
    const waiting_for more{times, request};
    EXPECT_EQ(times.current(), response);
  }
  EXPECT_EQ(times.current(), response);
}

}  // namespace
}  // namespace tollgate::proxy
