// Upstreams that a test plays: each connection of a pool is a pipe in memory.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "proxy/gateway/runtime.hpp"
#include "proxy/net/wake_up.hpp"
#include "tests/support/memory_pipe.hpp"

namespace tollgate::proxy {

class played_upstreams {
 public:
  explicit played_upstreams(io_executor executor) : executor_{executor} {}

  std::function<void()> while_connecting;
  bool is_silent = false;               // connections are made when answer() is called
  tests::fault_plan* faults = nullptr;  // faults of the pipes expected from now on; outlives them

  // From now on the pools of `view` connect to the expected upstreams.
  void serve(const runtime& view, deadline_list& deadlines) {
    for (const auto& pool : view.pools) {
      pool->connect_by(
          [this, &deadlines]() -> task<result<upstream_lease>> { return connect(deadlines); });
    }
  }
  // Expects one more connection. An unexpected one is refused.
  std::shared_ptr<tests::memory_pipe> expect() {
    auto made = std::make_shared<tests::memory_pipe>(executor_, faults);
    expected_.push_back(made);
    all_.push_back(made);
    return made;
  }

  void answer() {
    is_silent = false;
    answered_.notify();
  }

  const auto& all() const { return all_; }
  std::size_t still_expected() const { return expected_.size(); }

 private:
  task<result<upstream_lease>> connect(deadline_list& deadlines) {
    if (while_connecting) while_connecting();
    if (is_silent) co_await answered_.wait();
    const bool fails = faults != nullptr && faults->next_fails();
    if (fails || expected_.empty()) co_return asio::error::connection_refused;
    auto made = std::make_unique<upstream_connection>(tcp_socket{executor_},
                                                      expected_.front()->channel(), deadlines);
    expected_.pop_front();
    co_return made;
  }

  io_executor executor_;
  std::deque<std::shared_ptr<tests::memory_pipe>> expected_;
  std::vector<std::shared_ptr<tests::memory_pipe>> all_;
  wake_up answered_;
};

}  // namespace tollgate::proxy
