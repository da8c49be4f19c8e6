#include "proxy/net/api/stream_answer.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <sys/socket.h>

#include "proxy/net/no_throw.hpp"
#include "proxy/net/slow_reader.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace http = boost::beast::http;
using std::chrono::steady_clock;

constexpr std::chrono::seconds look_again{1};

// Ends the body when the client leaves. If the client sends a pipelined request instead, it is not
// answered, and from then on only a write can detect that the client has left.
void watch(const std::shared_ptr<tcp_stream>& socket, const std::shared_ptr<body_source>& source) {
  socket->socket().async_wait(
      asio::socket_base::wait_read,
      [weak = std::weak_ptr{socket}, leaving = std::weak_ptr{source}](error_code ec) {
        const auto client = weak.lock();
        const auto body = leaving.lock();
        if (ec || !client || !body) return;
        char byte;
        const auto n = ::recv(client->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) body->end();
      });
}

}  // namespace

task<> send_stream(std::shared_ptr<tcp_stream> socket, api_response answer, api_request request,
                   unsigned version, stream_rules rules) {
  const auto source = std::move(answer.source);
  const bool chunked = version >= 11;
  auto framed = to_http(std::move(answer), request, false);
  framed.erase(http::field::content_length);
  http::response<http::empty_body> head{std::move(framed.base())};
  head.chunked(chunked);
  http::response_serializer<http::empty_body> serializer{head};
  error_code ec;
  socket->expires_after(rules.write_timeout);
  co_await http::async_write_header(*socket, serializer, no_throw(ec));
  if (ec || request.method == "HEAD") co_return;

  bound_slow_reader(socket->socket().native_handle(), rules.write_timeout);
  watch(socket, source);
  auto looked_at = steady_clock::now();
  while (!ec) {
    const auto piece = co_await source->next();
    if (!piece) break;
    if (steady_clock::now() - looked_at >= look_again) {
      looked_at = steady_clock::now();
      if (!co_await rules.is_welcome()) break;
    }
    if (piece->empty()) continue;
    socket->expires_after(rules.write_timeout);
    if (chunked) {
      co_await asio::async_write(*socket, http::make_chunk(asio::buffer(*piece)), no_throw(ec));
    } else {
      co_await asio::async_write(*socket, asio::buffer(*piece), no_throw(ec));
    }
  }
  source->end();
  if (ec || !chunked) co_return;
  socket->expires_after(rules.write_timeout);
  co_await asio::async_write(*socket, http::make_chunk_last(), no_throw(ec));
}

}  // namespace tollgate::proxy::admin
