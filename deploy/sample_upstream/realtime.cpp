#include <boost/beast/websocket.hpp>

#include "deploy/sample_upstream/handlers.hpp"

namespace tollgate::sample_upstream {

namespace websocket = beast::websocket;

bool is_websocket(const exchange& x) {
  return websocket::is_upgrade(x.request());
}

// Echoes every message. The WebSocket takes over the socket, so the connection ends with it.
task<> realtime(exchange& x) {
  if (!is_websocket(x)) {
    co_await x.reply(426, "text/plain", "This is a WebSocket endpoint.\n");
    co_return;
  }
  websocket::stream<tcp_socket> stream{std::move(x.socket())};
  boost::system::error_code ec;
  co_await stream.async_accept(x.request(), asio::redirect_error(use_task, ec));
  beast::flat_buffer message;
  while (!ec) {
    message.clear();
    co_await stream.async_read(message, asio::redirect_error(use_task, ec));
    if (ec) break;
    stream.text(stream.got_text());
    co_await stream.async_write(message.data(), asio::redirect_error(use_task, ec));
  }
  throw connection_over{};
}

}  // namespace tollgate::sample_upstream
