// A pause in a coroutine.
#pragma once

#include <chrono>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy {

using pause_timer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, io_executor>;

inline task<> sleep_for(io_executor executor, std::chrono::milliseconds duration) {
  pause_timer delay{executor};
  delay.expires_after(duration);
  error_code ignored;
  co_await delay.async_wait(asio::redirect_error(use_task, ignored));
}

}  // namespace tollgate::proxy
