// The pure parts of a connection: deadlines, pauses, and its state.
#include <vector>

#include <gtest/gtest.h>

#include "quota/redis/backoff.hpp"
#include "quota/redis/connection_state.hpp"
#include "quota/redis/reply_deadline.hpp"

namespace tollgate::quota::redis {
namespace {

using namespace std::chrono_literals;

class reply_deadlines : public testing::Test {
 protected:
  reply_deadlines() { deadline.restart(now); }
  // The number of the tick that is late; 0: none of so many.
  int late_within(int ticks) {
    for (int i = 1; i <= ticks; ++i) {
      if (deadline.is_late(now)) return i;
    }
    return 0;
  }

  reply_deadline deadline{800ms, 4s};
  connection_counts now{.sent = 10, .answered = 10, .bytes_in = 1'000};
};

TEST_F(reply_deadlines, are_an_eighth_of_the_timeout_apart) {
  EXPECT_EQ(deadline.tick_every(), 100ms);
}

TEST_F(reply_deadlines, of_an_idle_connection_never_end) {
  EXPECT_EQ(late_within(1'000), 0);
}

TEST_F(reply_deadlines, end_for_a_command_that_is_not_answered) {
  now.sent = 11;
  EXPECT_EQ(late_within(100), 9);  // seen by the first tick, and not answered eight ticks later
}

TEST_F(reply_deadlines, do_not_end_while_each_command_is_answered_in_time) {
  for (int i = 0; i < 1'000; ++i) {
    now.sent += 3;
    if (i >= 7) now.answered += 3;  // seven ticks late
    ASSERT_FALSE(deadline.is_late(now)) << i;
  }
}

TEST_F(reply_deadlines, end_though_others_are_answered) {
  now.sent = 100;
  for (int i = 1; i <= 9; ++i) {
    now.answered += 2;
    now.sent += 2;
    now.bytes_in += 10;
    ASSERT_EQ(deadline.is_late(now), i == 9) << i;
  }
}

TEST_F(reply_deadlines, of_a_report_that_arrives_are_longer) {
  now.sent = 11;
  now.reports = 1;
  int ticks = 0;
  do now.bytes_in += 1;
  while (!deadline.is_late(now) && ++ticks < 1'000);
  EXPECT_NEAR(ticks, 40, 1);  // 4 s
}

TEST_F(reply_deadlines, of_a_report_of_which_nothing_arrives_are_not) {
  now.sent = 11;
  now.reports = 1;
  EXPECT_EQ(late_within(100), 9);
}

TEST_F(reply_deadlines, begin_anew_with_a_connection) {
  now.sent = 11;
  EXPECT_EQ(late_within(8), 0);
  now.answered = 11;  // it has failed with the connection before
  deadline.restart(now);
  now.sent = 12;
  EXPECT_EQ(late_within(100), 9);
}

TEST(backoff, doubles_and_leaves_out_a_random_half) {
  backoff next{50ms, 800ms};
  for (const auto most : {50ms, 100ms, 200ms, 400ms, 800ms, 800ms, 800ms}) {
    EXPECT_EQ(next.pause(0), most);
  }
  std::vector<milliseconds> pauses;
  for (std::uint64_t random = 0; random < 10'000; random += 37)
    pauses.push_back(next.pause(random));
  EXPECT_GE(*std::ranges::min_element(pauses), 400ms);
  EXPECT_LE(*std::ranges::max_element(pauses), 800ms);
  EXPECT_GT(*std::ranges::max_element(pauses) - *std::ranges::min_element(pauses), 350ms);
  next.reset();
  EXPECT_EQ(next.pause(0), 50ms);
}

class connection_states : public testing::Test {
 protected:
  std::vector<std::string> told;
  connection_state state{[this](const store_state& now) {
    told.push_back(std::string{to_string(now.trouble)} + ": " + now.detail);
  }};
};

TEST_F(connection_states, tell_of_each_change_once) {
  for (int i = 0; i < 3; ++i) state.met(store_trouble::out_of_memory, "OOM " + std::to_string(i));
  state.checked();
  state.checked();
  state.met(store_trouble::closed, "reset");
  state.met(store_trouble::unreachable, "refused");
  EXPECT_EQ(told, (std::vector<std::string>{"out_of_memory: OOM 0", "none: ", "closed: reset",
                                            "unreachable: refused"}));
  EXPECT_EQ(state.counted()[static_cast<std::size_t>(store_trouble::out_of_memory)], 3u);
}

TEST_F(connection_states, take_commands_only_when_ready_also_in_trouble) {
  EXPECT_EQ(state.told().trouble, store_trouble::connecting);
  for (const auto phase : {connection_phase::waiting, connection_phase::connecting,
                           connection_phase::greeting, connection_phase::retiring}) {
    state.enter(phase);
    EXPECT_FALSE(state.takes_commands());
  }
  state.enter(connection_phase::ready);
  state.met(store_trouble::out_of_memory, "OOM");
  EXPECT_TRUE(state.takes_commands());
  EXPECT_FALSE(state.told().ready());
}

TEST_F(connection_states, stay_stopped_and_are_silent) {
  state.enter(connection_phase::stopped);
  state.enter(connection_phase::ready);
  state.met(store_trouble::closed, "it was closed");
  EXPECT_TRUE(state.is_stopped());
  EXPECT_TRUE(told.empty());
}

}  // namespace
}  // namespace tollgate::quota::redis
