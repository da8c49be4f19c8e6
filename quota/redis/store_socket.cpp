#include "quota/redis/store_socket.hpp"

#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>

namespace tollgate::quota::redis {

namespace {

using resolver = asio::ip::basic_resolver<asio::ip::tcp, io_executor>;

store_state not_open(store_trouble trouble, const std::string& where, const std::string& why) {
  return {trouble, where + ": " + why};
}

// The timer closes the socket, which ends the attempt. Its handler may run after the attempt, so
// the two share whether it is still under way.
task<error_code> connect_within(stream_socket& socket,
                                const asio::generic::stream_protocol::endpoint& endpoint,
                                milliseconds timeout) {
  struct attempt {
    bool over = false, late = false;
  };
  const auto state = std::make_shared<attempt>();
  timer limit{socket.get_executor(), timeout};
  limit.async_wait([state, &socket](error_code ec) {
    if (ec || state->over) return;
    state->late = true;
    error_code ignored;
    socket.close(ignored);
  });
  error_code ec;
  co_await socket.async_connect(endpoint, asio::redirect_error(use_task, ec));
  state->over = true;
  if (state->late) ec = asio::error::timed_out;
  if (!ec && !socket.is_open()) ec = asio::error::operation_aborted;
  co_return ec;
}

task<store_state> open_tcp(stream_socket& socket, const address& where, milliseconds timeout) {
  resolver names{socket.get_executor()};
  error_code ec;
  const auto found =
      co_await names.async_resolve(where.host, where.port, asio::redirect_error(use_task, ec));
  if (ec) co_return not_open(store_trouble::name_unknown, where.text(), ec.message());
  ec = asio::error::host_not_found;
  for (const auto& entry : found) {
    error_code ignored;
    socket.close(ignored);
    ec = co_await connect_within(socket, entry.endpoint(), timeout);
    if (!ec) break;
  }
  if (!ec) socket.set_option(asio::ip::tcp::no_delay{true}, ec);
  if (ec) co_return not_open(store_trouble::unreachable, where.text(), ec.message());
  co_return store_state{store_trouble::none, {}};
}

}  // namespace

task<store_state> open_socket(stream_socket& socket, const address& where, milliseconds timeout) {
  if (where.unix_path.empty()) co_return co_await open_tcp(socket, where, timeout);
  const asio::local::stream_protocol::endpoint endpoint{where.unix_path};
  const auto ec = co_await connect_within(socket, endpoint, timeout);
  if (ec) co_return not_open(store_trouble::unreachable, where.text(), ec.message());
  co_return store_state{store_trouble::none, {}};
}

}  // namespace tollgate::quota::redis
