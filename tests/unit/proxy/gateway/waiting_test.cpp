// Coroutines that wait when their event loop ends: the frame must be destroyed, with everything it
// owns.
#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "proxy/net/event_loop.hpp"
#include "proxy/net/wake_up.hpp"

namespace tollgate::proxy {
namespace {

// Like a client's connection: the frame that waits for it owns it.
struct owned {
  explicit owned(int& ended_) : ended{ended_} {}
  ~owned() { ++ended; }

  wake_up event;
  int& ended;
};

task<> wait_for(std::shared_ptr<owned> one) {
  co_await one->event.wait();
}
task<> wait_below(std::shared_ptr<owned> one) {
  const owned above{one->ended};
  co_await wait_for(std::move(one));
}

TEST(waiting, ends_with_its_event_loop) {
  int ended = 0;
  {
    event_loop loop;
    asio::co_spawn(loop, wait_for(std::make_shared<owned>(ended)), asio::detached);
    asio::co_spawn(loop, wait_below(std::make_shared<owned>(ended)), asio::detached);
    loop.poll();
    EXPECT_EQ(ended, 0);
  }
  EXPECT_EQ(ended, 3);
}

TEST(waiting, may_end_before_its_event_loop_does) {
  int ended = 0;
  event_loop loop;
  const auto one = std::make_shared<owned>(ended);
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(loop, wait_for(one), asio::detached);
    loop.restart();
    loop.poll();
    one->event.notify();
  }
  EXPECT_EQ(one.use_count(), 1);
  asio::co_spawn(loop, wait_below(one), asio::detached);
  loop.restart();
  loop.poll();
  loop.destroy_what_waits();
  EXPECT_EQ(one.use_count(), 1);
  EXPECT_EQ(ended, 1);
  one->event.notify();  // no coroutine waits any more
}

}  // namespace
}  // namespace tollgate::proxy
