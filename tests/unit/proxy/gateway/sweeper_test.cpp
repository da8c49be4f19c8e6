// What becomes due in accounts that are not in use.
#include "proxy/gateway/sweeper.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "tests/support/memory_thread_store.hpp"
#include "tests/support/moments.hpp"
#include "tests/unit/proxy/gateway/world.hpp"

namespace tollgate::proxy {
namespace {

class a_sweep : public testing::Test {
 protected:
  a_sweep() {
    world.accounts.time = tests::noon;
    add_customer(world.accounts, "acme", "tg_live_acme", 100_credits);
  }

  // Reserves as another sidecar that is killed afterwards.
  void hold(std::uint64_t number, std::chrono::milliseconds timeout) {
    const auto id = quota::hold_id::make(world.accounts.time, 0, number);
    apply(quota::reserve{id, 10_credits, timeout, {}, {}, {}});
  }
  quota::answer apply(const quota::operation& what) {
    return *tests::run_task(world.accounts.apply("acme", what));
  }
  quota::credits held() { return world.accounts.account("acme").row().held; }

  void sweep_once() {
    asio::co_spawn(context, sweeping.run(), asio::detached);
    asio::post(context, [this] { sweeping.stop(); });  // while it sleeps before its first round
    context.run();
  }
  // Sweeps that many times; at the end of each sweep there is a top-up to request.
  void sweep(int times) {
    need_top_up(world.accounts, "acme");
    times_left = times;
    asio::co_spawn(context, sweeping.run(), asio::detached);
    context.run();
  }

  asio::io_context context;
  tests::memory_world world;
  tests::memory_thread_store store{world};
  metrics::counter expired;
  std::vector<quota::org_id> asked_for;
  int times_left = -1;
  bool delivers = true;
  std::function<void()> after_the_first = [] {};
  sweeper sweeping{context.get_executor(), store,
                   [this] {
                     return sweeper::rules{{60s, 1ms}, delivers};
                   },
                   [this](const quota::org_id& org) {
                     asked_for.push_back(org);
                     if (asked_for.size() == 1) after_the_first();
                     if (--times_left == 0) sweeping.stop();
                   },
                   expired};
};

TEST_F(a_sweep, gives_back_what_a_killed_sidecar_held) {
  hold(1, 30s);
  world.accounts.time += 31s;
  sweep_once();
  EXPECT_EQ(held(), 0_credits);
  EXPECT_EQ(expired.read(), 10'000'000);
}

TEST_F(a_sweep, leaves_holds_alone_that_are_renewed) {
  hold(1, 50s);
  world.accounts.time += 49s;
  sweep_once();
  EXPECT_EQ(held(), 10_credits);
  EXPECT_EQ(expired.read(), 0);
}

TEST_F(a_sweep, visits_every_organization) {
  for (int i = 0; i < 250; ++i) {  // more than one page of the list
    add_customer(world.accounts, "org" + std::to_string(i), "key" + std::to_string(i), 0_credits);
    need_top_up(world.accounts, "org" + std::to_string(i));
  }
  sweep_once();
  EXPECT_EQ(asked_for.size(), 250U);
}

// Another sidecar at the same store may have a payment endpoint.
TEST_F(a_sweep, leaves_top_ups_to_those_who_deliver_them) {
  delivers = false;
  need_top_up(world.accounts, "acme");
  sweep_once();
  EXPECT_TRUE(asked_for.empty());
}

TEST_F(a_sweep, asks_for_top_ups_again_and_again) {
  sweep(3);
  EXPECT_EQ(asked_for, (std::vector<quota::org_id>{"acme", "acme", "acme"}));
}

// If the store's clock is set back, holds last that much longer. Whether that happened before the
// sweeper started is unknown, so the first round assumes it.
TEST_F(a_sweep, shortens_holds_in_its_first_round_only) {
  hold(1, 48h);
  after_the_first = [this] { hold(2, 48h); };
  sweep(2);
  world.accounts.time += 61s;
  apply(quota::expire_holds{});
  EXPECT_EQ(held(), 10_credits);
}

TEST_F(a_sweep, shortens_holds_again_when_the_clock_is_set_back) {
  hold(1, 48h);
  after_the_first = [this] {
    hold(2, 48h);
    ++world.times_set_back;
  };
  sweep(2);
  world.accounts.time += 61s;
  apply(quota::expire_holds{});
  EXPECT_EQ(held(), 0_credits);
}

TEST_F(a_sweep, goes_on_when_the_store_is_there_again) {
  hold(1, 30s);
  world.accounts.time += 31s;
  world.accounts.reachable = false;
  asio::co_spawn(context, sweeping.run(), asio::detached);
  for (int i = 0; i < 10; ++i) context.run_one();  // some rounds
  EXPECT_EQ(held(), 10_credits);
  world.accounts.reachable = true;
  while (held() > 0_credits) context.run_one();
  EXPECT_EQ(expired.read(), 10'000'000);
  sweeping.stop();
  context.run();
}

}  // namespace
}  // namespace tollgate::proxy
