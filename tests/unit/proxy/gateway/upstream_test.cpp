// A pool of connections to one upstream.
#include "proxy/gateway/upstream.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "tests/support/memory_pipe.hpp"

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

class upstream_pools : public testing::Test {
 protected:
  upstream_pools() {
    settings.name = "up";
    settings.host = "127.0.0.1";
    settings.port = 9;
    all.limits.idle_upstream_connections = 2;
    all.timeouts.keep_alive = 60s;
  }

  upstream_pool& pool() {
    if (!pool_) {
      pool_.emplace(context, deadlines, settings, all);
      pool_->connect_by([this]() -> task<result<upstream_lease>> {
        if (!reachable) co_return asio::error::connection_refused;
        pipes.push_back(std::make_shared<tests::memory_pipe>(context.get_executor()));
        co_return std::make_unique<upstream_connection>(tcp_socket{context.get_executor()},
                                                        pipes.back()->channel(), deadlines);
      });
    }
    return *pool_;
  }
  result<upstream_lease> acquire(bool fresh = false) {
    std::optional<result<upstream_lease>> out;
    asio::co_spawn(context, pool().acquire(fresh),
                   [&](std::exception_ptr, auto lease) { out.emplace(std::move(lease)); });
    context.restart();
    context.run();
    return *std::move(out);
  }

  static steady_time now() { return std::chrono::steady_clock::now(); }

  asio::io_context context;
  deadline_list deadlines{steady_time{}};
  config::upstream_settings settings;
  config::settings all;
  bool reachable = true;
  std::vector<std::shared_ptr<tests::memory_pipe>> pipes;

 private:
  std::optional<upstream_pool> pool_;
};

TEST_F(upstream_pools, give_a_connection_out_again) {
  auto lease = *acquire();
  EXPECT_FALSE(lease->reused);
  pool().release(std::move(lease), now());
  EXPECT_EQ(pool().idle(), 1U);
  lease = *acquire();
  EXPECT_TRUE(lease->reused);
  EXPECT_EQ(pool().counted().connects, 1U);
  EXPECT_EQ(pool().counted().reuses, 1U);
  EXPECT_FALSE((*acquire(true))->reused);
}

TEST_F(upstream_pools, do_not_keep_what_is_of_no_use) {
  auto lease = *acquire();
  lease->in.commit(asio::buffer_copy(lease->in.prepare(100), asio::buffer("unasked", 7)));
  pool().release(std::move(lease), now());
  EXPECT_EQ(pool().idle(), 0U);
  EXPECT_TRUE(pipes[0]->closed());
  pool().release(*acquire(true), now());
  pool().release(*acquire(true), now());
  pool().release(*acquire(true), now());
  EXPECT_EQ(pool().idle(), 2U);  // the maximum
  pipes[2]->send("unasked");
  pipes[1]->end();
  pipes[3]->reset();
  EXPECT_FALSE((*acquire())->reused);
  EXPECT_EQ(pool().idle(), 0U);
}

TEST_F(upstream_pools, close_what_was_idle_for_too_long) {
  pool().release(*acquire(true), deadlines.now());
  pool().release(*acquire(true), deadlines.now());
  pipes[0]->end();
  pool().prune(deadlines.now());
  EXPECT_EQ(pool().idle(), 1U);
  deadlines.tick(steady_time{61s});
  pool().prune(deadlines.now());
  EXPECT_EQ(pool().idle(), 0U);
}

TEST_F(upstream_pools, do_not_use_what_was_idle_for_too_long) {
  const steady_time start{1h};
  settings.keep_alive = 4s;
  pool().release(*acquire(true), start);
  pool().release(*acquire(true), start + 3s);
  EXPECT_NE(pool().take_idle(start + 4s), nullptr);
  EXPECT_EQ(pool().take_idle(start + 4s), nullptr);  // it is 4 s old
  EXPECT_EQ(pool().idle(), 0U);
  pool().idle_time().announced("timeout=3");
  pool().release(*acquire(true), start);
  pool().prune(start + 2s);
  EXPECT_EQ(pool().idle(), 0U);
}

TEST_F(upstream_pools, learn_when_the_upstream_closes) {
  const steady_time start{1h};
  pool().release(*acquire(true), start);
  pipes[0]->end();
  pool().prune(start + 6s);
  EXPECT_EQ(pool().idle_time().at(start + 6s), 4300ms);
  pool().release(*acquire(true), start + 10s);
  EXPECT_EQ(pool().take_idle(start + 15s), nullptr);
}

TEST_F(upstream_pools, use_each_connection_once_where_nothing_may_be_idle) {
  settings.keep_alive = 0s;
  pool().release(*acquire(), deadlines.now());
  EXPECT_EQ(pool().idle(), 0U);
}

TEST_F(upstream_pools, say_why_there_is_no_connection) {
  reachable = false;
  EXPECT_EQ(acquire().error(), asio::error::connection_refused);
  EXPECT_EQ(pool().counted().connect_failures, 1U);
}

TEST_F(upstream_pools, know_their_authority) {
  EXPECT_EQ(pool().authority(), "127.0.0.1:9");
  settings.host = "::1";
  settings.port = 443;
  settings.tls = true;
  upstream_pool other{context, deadlines, settings, all};
  EXPECT_EQ(other.authority(), "[::1]");
  settings.ca_file = "/nowhere.pem";
  EXPECT_THROW(make_upstream_tls(settings), std::runtime_error);
}

}  // namespace
}  // namespace tollgate::proxy
