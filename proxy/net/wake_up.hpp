// One coroutine waits, another one on the same thread wakes it.
#pragma once

#include <optional>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/intrusive/list.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy {

using waiting_link =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class wake_up : public waiting_link {
 public:
  inline task<> wait();

  // Resumes the waiting coroutine at once, if there is one.
  void notify() {
    if (!waiter_) return;
    auto waiter = take();
    std::move(waiter)();
  }
  // Destroys the coroutine instead, which may own this object.
  void forget() { [[maybe_unused]] const auto waiter = take(); }

 private:
  using waiter = asio::any_completion_handler<void()>;

  waiter take() {
    unlink();
    auto taken = *std::move(waiter_);
    waiter_.reset();
    return taken;
  }

  // Emplaced, never assigned: Boost 1.81's move assignment wraps a handler in itself endlessly.
  std::optional<waiter> waiter_;
};

// The coroutines that wait in an event loop. If the loop is destroyed first, nothing wakes them,
// and their frames would leak: each is owned by the object it waits for, which it often owns
// itself.
class waiting_coroutines final : public asio::execution_context::service {
 public:
  using key_type = waiting_coroutines;
  static inline asio::execution_context::id id;

  explicit waiting_coroutines(asio::execution_context& of) : service{of} {}
  void add(wake_up& waits) { waiting_.push_back(waits); }

 private:
  void shutdown() override {
    while (!waiting_.empty()) waiting_.front().forget();
  }

  boost::intrusive::list<wake_up, boost::intrusive::constant_time_size<false>> waiting_;
};

task<> wake_up::wait() {
  return asio::async_initiate<const asio::use_awaitable_t<io_executor>, void()>(
      [this](auto handler) {
        auto& context = asio::get_associated_executor(handler).context();
        asio::use_service<waiting_coroutines>(context).add(*this);
        waiter_.emplace(std::move(handler));
      },
      use_task);
}

}  // namespace tollgate::proxy
