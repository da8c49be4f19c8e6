#include "proxy/net/background_thread.hpp"

#include <algorithm>
#include <future>
#include <optional>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

class background_threads : public testing::Test {
 protected:
  // The outcome is "owner", "owner: not run" or "owner: thrown".
  void ask(std::string owner, std::function<void()> work) {
    const auto run = [](background_thread& thread, std::string whose,
                        std::function<void()> what) -> task<bool> {
      co_return co_await thread.run(std::move(whose), std::move(what));
    };
    asio::co_spawn(context, run(*background, owner, std::move(work)),
                   [this, owner](std::exception_ptr thrown, bool has_run) {
                     ended.push_back(owner + (thrown ? ": thrown" : has_run ? "" : ": not run"));
                   });
  }

  asio::io_context context;
  std::optional<background_thread> background{std::in_place};
  std::vector<std::string> ended;
  std::promise<void> begun, go_on;

  // Work that begins and does not end before go_on.
  void occupy() {
    ask("first", [this] {
      begun.set_value();
      go_on.get_future().wait();
    });
    context.poll();
    begun.get_future().wait();
  }
};

TEST_F(background_threads, owners_take_turns) {
  occupy();
  std::vector<std::string> order;  // written by one thread
  for (const auto* owner : {"a", "a", "a", "b", "c", "c"}) {
    ask(owner, [&order, owner] { order.emplace_back(owner); });
  }
  context.poll();
  go_on.set_value();
  context.restart();
  context.run();
  EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "c", "a", "c", "a"}));
  EXPECT_EQ(ended.size(), 7U);
}

TEST_F(background_threads, what_is_thrown_reaches_the_caller) {
  ask("a", [] { throw std::bad_alloc{}; });
  context.run();
  EXPECT_EQ(ended, (std::vector<std::string>{"a: thrown"}));
}

TEST_F(background_threads, what_waits_at_the_end_is_given_up) {
  occupy();
  ask("a", [] { FAIL(); });
  context.poll();
  auto closing = std::async(std::launch::async, [this] { background->close(); });
  while (ended.empty()) {  // until closing has begun
    ask("a", [] { FAIL(); });
    context.restart();
    context.poll();
  }
  go_on.set_value();
  closing.wait();
  context.restart();
  context.run();
  EXPECT_EQ(std::ranges::count(ended, "first"), 1);
  EXPECT_EQ(std::ranges::count(ended, "a: not run"), std::ssize(ended) - 1);
}

}  // namespace
}  // namespace tollgate::proxy
