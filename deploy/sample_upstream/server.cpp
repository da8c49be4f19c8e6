#include "deploy/sample_upstream/server.hpp"

#include <chrono>
#include <limits>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "deploy/sample_upstream/handlers.hpp"

namespace tollgate::sample_upstream {

namespace {

struct in_flight_guard {
  explicit in_flight_guard(statistics& counted) : counted_{counted} { ++counted_.in_flight; }
  ~in_flight_guard() { --counted_.in_flight; }
  in_flight_guard(const in_flight_guard&) = delete;
  statistics& counted_;
};

// False if the connection is over.
task<bool> serve_one(tcp_socket& socket, beast::flat_buffer& buffer, statistics& counted) {
  request_parser parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  parser.header_limit(64 * 1024);
  boost::system::error_code ec;
  co_await http::async_read_header(socket, buffer, parser, asio::redirect_error(use_task, ec));
  if (ec) co_return false;
  exchange x{socket, buffer, parser, counted};
  const in_flight_guard guard{counted};
  co_await handle(x);
  co_return x.keep_alive();
}

task<> serve(tcp_socket socket, statistics& counted) {
  boost::system::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
  beast::flat_buffer buffer;
  try {
    while (co_await serve_one(socket, buffer, counted)) {
    }
    socket.shutdown(asio::socket_base::shutdown_send, ignored);
  } catch (const connection_over&) {
    // the socket closes when it goes out of scope
  }
}

}  // namespace

tcp_acceptor open_listener(asio::io_context& context, const std::string& host, std::uint16_t port) {
  const asio::ip::tcp::endpoint address{asio::ip::make_address(host), port};
  tcp_acceptor acceptor{context};
  acceptor.open(address.protocol());
  acceptor.set_option(asio::socket_base::reuse_address{true});
  acceptor.bind(address);
  acceptor.listen(asio::socket_base::max_listen_connections);
  return acceptor;
}

task<> accept_connections(tcp_acceptor acceptor, statistics& counted) {
  steady_timer breather{acceptor.get_executor()};
  for (;;) {
    boost::system::error_code ec;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(use_task, ec));
    if (ec == asio::error::operation_aborted) co_return;
    if (ec) {  // probably out of descriptors: some will be freed
      breather.expires_after(std::chrono::milliseconds{50});
      co_await breather.async_wait(use_task);
      continue;
    }
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), counted), asio::detached);
  }
}

}  // namespace tollgate::sample_upstream
