// Runs a coroutine that never really suspends to its end.
#pragma once

#include <exception>
#include <optional>

#include <boost/asio/co_spawn.hpp>

#include "quota/task.hpp"

namespace tollgate::tests {

template <class T>
T run_task(task<T> work) {
  asio::io_context context;
  std::optional<T> out;
  std::exception_ptr error;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T value) {
    error = thrown;
    out = std::move(value);
  });
  context.run();
  if (error) std::rethrow_exception(error);
  return std::move(*out);
}

inline void run_task(task<> work) {
  asio::io_context context;
  std::exception_ptr error;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown) { error = thrown; });
  context.run();
  if (error) std::rethrow_exception(error);
}

}  // namespace tollgate::tests
