// One coroutine waits, another one on the same thread wakes it.
#pragma once

#include <optional>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy {

class wake_up {
 public:
  task<> wait() {
    return asio::async_initiate<const asio::use_awaitable_t<io_executor>, void()>(
        [this](auto handler) { waiter_.emplace(std::move(handler)); }, use_task);
  }

  // Resumes the waiting coroutine at once, if there is one.
  void notify() {
    if (!waiter_) return;
    auto waiter = *std::move(waiter_);
    waiter_.reset();
    std::move(waiter)();
  }

 private:
  // Emplaced, never assigned: Boost 1.81's move assignment wraps a handler in itself endlessly.
  std::optional<asio::any_completion_handler<void()>> waiter_;
};

}  // namespace tollgate::proxy
