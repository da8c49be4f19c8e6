#include "proxy/net/deadline.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

// Counts how often it passed, and then runs the test's action.
class counted_deadline final : public deadline {
 public:
  int passed = 0;
  std::function<void()> then = [] {};

 private:
  void on_deadline() override {
    ++passed;
    then();
  }
};

class deadlines : public testing::Test {
 protected:
  void advance(std::chrono::milliseconds by) { list.tick(now += by); }

  steady_time now{1h};
  deadline_list list{now};
};

TEST_F(deadlines, pass_once_and_never_early) {
  counted_deadline one;
  list.arm(one, 100ms);
  advance(100ms);
  EXPECT_EQ(one.passed, 0) << "the clock may have been a tick late when it was armed";
  advance(deadline_list::tick_every);
  EXPECT_EQ(one.passed, 1);
  advance(1h);
  EXPECT_EQ(one.passed, 1);
}

TEST_F(deadlines, are_replaced_by_arming_again) {
  counted_deadline one;
  list.arm(one, 100ms);
  list.arm(one, 1s);
  advance(500ms);
  EXPECT_EQ(one.passed, 0);
  advance(1s);
  EXPECT_EQ(one.passed, 1);
}

TEST_F(deadlines, do_not_pass_once_they_are_disarmed) {
  counted_deadline one;
  list.arm(one, 100ms);
  deadline_list::disarm(one);
  advance(1h);
  EXPECT_EQ(one.passed, 0);
}

TEST_F(deadlines, of_zero_are_none) {
  counted_deadline one;
  list.arm(one, 100ms);
  list.arm(one, 0ms);
  advance(1h);
  EXPECT_EQ(one.passed, 0);
}

TEST_F(deadlines, leave_the_list_when_they_die) {
  counted_deadline other;
  {
    counted_deadline one;
    list.arm(one, 100ms);
    list.arm(other, 100ms);
  }
  advance(1s);
  EXPECT_EQ(other.passed, 1);
}

// Closing one connection may close others, or extend their deadlines.
TEST_F(deadlines, may_change_others_while_they_pass) {
  counted_deadline first, again;
  auto dying = std::make_unique<counted_deadline>();
  auto spared = std::make_unique<counted_deadline>();
  first.then = [&] {
    dying.reset();
    list.arm(*spared, 1h);
  };
  again.then = [&] { list.arm(again, 100ms); };
  list.arm(first, 100ms);
  list.arm(*dying, 100ms);
  list.arm(*spared, 100ms);
  list.arm(again, 100ms);
  advance(1s);
  EXPECT_EQ(spared->passed, 0);
  EXPECT_EQ(again.passed, 1) << "armed anew, not passed for ever";
  advance(1s);
  EXPECT_EQ(again.passed, 2);
}

}  // namespace
}  // namespace tollgate::proxy
