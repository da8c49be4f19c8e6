// The coroutine type of Tollgate: one io_context per thread, no type-erased executor.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/result.hpp>

namespace tollgate {

namespace asio = boost::asio;
using boost::system::error_code;
using boost::system::result;

using io_executor = asio::io_context::executor_type;
template <class T = void>
using task = asio::awaitable<T, io_executor>;
inline constexpr asio::use_awaitable_t<io_executor> use_task{};

}  // namespace tollgate
