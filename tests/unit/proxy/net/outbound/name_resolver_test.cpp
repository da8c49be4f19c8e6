#include "proxy/net/outbound/name_resolver.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "tests/support/run_task.hpp"

namespace tollgate::proxy::outbound {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST(name_resolver, finds_this_machine) {
  name_resolver names{2};
  const auto found = tests::run_task(names.resolve("localhost", 8080, steady_clock::now() + 1min));
  ASSERT_TRUE(found);
  ASSERT_FALSE(found->empty());
  for (const auto& each : *found) {
    EXPECT_TRUE(each.address().is_loopback());
    EXPECT_EQ(each.port(), 8080);
  }
}

TEST(name_resolver, says_when_there_is_no_such_name) {
  name_resolver names{1};
  const auto found = tests::run_task(names.resolve("no..name", 80, steady_clock::now() + 1min));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().category().name(), asio::error::get_netdb_category().name());
}

TEST(name_resolver, does_not_wait_longer_than_it_may) {
  name_resolver names{1};
  const auto found = tests::run_task(names.resolve("localhost", 80, steady_clock::now() - 1s));
  EXPECT_FALSE(found);
}

// A resolver whose lookups return when the test says so.
class held_names {
 public:
  name_resolver::lookup lookup() const {
    return [state = state_](const std::string& host) {
      std::unique_lock lock{state->mutex};
      ++state->begun[host];
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->open; });
      ++state->ended;
      state->changed.notify_all();
      name_resolver::answer out;
      out.found.push_back(asio::ip::make_address("192.0.2.1"));
      return out;
    };
  }
  void wait_begun(const std::string& host) {
    std::unique_lock lock{state_->mutex};
    state_->changed.wait(lock, [&] { return state_->begun[host] > 0; });
  }
  int begun(const std::string& host) {
    const std::lock_guard lock{state_->mutex};
    return state_->begun[host];
  }
  // Releases all of them, and waits for those that had begun.
  void let_go() {
    std::unique_lock lock{state_->mutex};
    state_->open = true;
    state_->changed.notify_all();
    state_->changed.wait(lock, [&] {
      int all = 0;
      for (const auto& [host, count] : state_->begun) all += count;
      return state_->ended == all;
    });
  }

 private:
  struct state {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, int> begun;
    int ended = 0;
    bool open = false;
  };
  std::shared_ptr<state> state_ = std::make_shared<state>();
};

struct asking {
  asio::io_context context;
  std::map<std::string, bool> found;  // by host: whether there was an answer

  void ask(name_resolver& names, std::string host, std::string whose,
           steady_clock::duration patience = 1min) {
    auto asks = names.resolve(host, 80, steady_clock::now() + patience, std::move(whose));
    asio::co_spawn(context, std::move(asks),
                   [this, host](std::exception_ptr, const auto& got) { found[host] = bool(got); });
    context.poll();
  }
  void until_known(const std::string& host) {
    context.restart();
    while (!found.contains(host) && context.run_one() > 0) {
    }
  }
};

TEST(name_resolver, nobodys_names_hold_up_anybody_elses) {
  held_names held;
  name_resolver names{3, held.lookup()};
  asking all;
  for (const char* host : {"slow-1", "slow-2", "slow-3", "slow-4"}) all.ask(names, host, "bad");
  held.wait_begun("slow-1");
  held.wait_begun("slow-2");
  all.ask(names, "good", "other");
  held.wait_begun("good");  // two of three threads are in use, and the same caller gets no more
  EXPECT_EQ(held.begun("slow-3"), 0);
  held.let_go();
  for (const char* host : {"good", "slow-1", "slow-4"}) {
    all.until_known(host);
    EXPECT_TRUE(all.found[host]) << host;
  }
}

TEST(name_resolver, a_name_is_looked_up_once_for_all_who_wait_for_it) {
  held_names held;
  name_resolver names{4, held.lookup()};
  asking one, two;
  one.ask(names, "slow", "acme");
  held.wait_begun("slow");
  two.ask(names, "slow", "acme");
  held.let_go();
  one.until_known("slow");
  two.until_known("slow");
  EXPECT_TRUE(one.found["slow"] && two.found["slow"]);
  EXPECT_EQ(held.begun("slow"), 1);
}

TEST(name_resolver, what_nobody_waits_for_any_more_is_not_looked_up) {
  held_names held;
  name_resolver names{1, held.lookup()};
  asking all;
  all.ask(names, "first", "a");
  held.wait_begun("first");
  all.ask(names, "late", "b", 1ms);
  all.until_known("late");
  EXPECT_FALSE(all.found["late"]);
  all.ask(names, "next", "c");
  held.let_go();
  all.until_known("next");
  EXPECT_TRUE(all.found["next"]);
  EXPECT_EQ(held.begun("late"), 0);
}

TEST(name_resolver, ends_without_waiting_for_lookups) {
  held_names held;
  {
    asking all;
    name_resolver names{2, held.lookup()};
    all.ask(names, "slow", "acme");
    held.wait_begun("slow");
  }
  held.let_go();  // no caller waits for its answer
}

TEST(name_resolver, what_took_long_to_fail_rests_for_a_while) {
  std::atomic<int> asked = 0;
  name_resolver names{1, [&](const std::string& host) {
                        ++asked;
                        name_resolver::answer out;
                        out.failed = asio::error::host_not_found_try_again;
                        if (host == "slow") std::this_thread::sleep_for(name_resolver::slow);
                        return out;
                      }};
  for (const char* host : {"slow", "quick"}) {
    asked = 0;
    for (int times = 0; times < 2; ++times) {
      const auto found = tests::run_task(names.resolve(host, 80, steady_clock::now() + 1min));
      EXPECT_EQ(found.error(), asio::error::host_not_found_try_again);
    }
    EXPECT_EQ(asked, host == std::string{"slow"} ? 1 : 2) << host;
  }
}

}  // namespace
}  // namespace tollgate::proxy::outbound
