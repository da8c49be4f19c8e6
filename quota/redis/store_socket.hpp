// Opens the socket of a connection to the store: TCP or unix.
#pragma once

#include <string>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include "quota/clock.hpp"
#include "quota/redis/address.hpp"
#include "quota/store_state.hpp"
#include "quota/task.hpp"

namespace tollgate::quota::redis {

using stream_socket = asio::basic_stream_socket<asio::generic::stream_protocol, io_executor>;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

// Resolves the name anew, and tries its addresses in order, each for `timeout`. Not ready: the
// socket is not open, and the state says why. Closing the socket meanwhile ends the attempt.
task<store_state> open_socket(stream_socket& socket, const address& where, milliseconds timeout);

}  // namespace tollgate::quota::redis
