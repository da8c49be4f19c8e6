#include "proxy/net/api/small_listener.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "proxy/net/api/connections.hpp"
#include "proxy/net/no_throw.hpp"
#include "quota/ids.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using request_parser = http::request_parser<http::string_body>;

constexpr std::size_t max_head_bytes = 16 * 1024;
constexpr std::chrono::seconds patience{
    10};  // for a head, a body, and the client's reading of an answer
constexpr std::chrono::seconds first_byte_patience{
    3};  // for a request to begin: idle connections are closed

}  // namespace

struct small_listener::impl : std::enable_shared_from_this<small_listener::impl> {
  impl(asio::io_context& io_context, const config::endpoint& listen, small_listener_options given)
      : context{io_context},
        options{std::move(given)},
        clients{listen_on(context, options.key, to_tcp(listen)), options.connections} {}

  task<> serve(std::shared_ptr<connection> connection);
  task<bool> serve_one(std::shared_ptr<connection> connection, beast::flat_buffer& buffer);

  asio::io_context& context;
  small_listener_options options;
  connections clients;
  quota::random_id_source ids;
};

// True: the connection can take another request.
task<bool> small_listener::impl::serve_one(std::shared_ptr<connection> connection,
                                           beast::flat_buffer& buffer) {
  auto& socket = connection->socket;
  request_parser parser;
  parser.header_limit(max_head_bytes);
  parser.body_limit(options.body_bytes);
  error_code ec;
  connection->idle = buffer.size() == 0;
  if (connection->idle) {
    socket.expires_after(first_byte_patience);
    buffer.commit(co_await socket.async_read_some(buffer.prepare(4096), no_throw(ec)));
    if (ec) co_return false;
    connection->idle = false;
  }
  socket.expires_after(patience);
  co_await http::async_read(socket, buffer, parser, no_throw(ec));
  const auto refused = refusal(ec);
  if (ec && !refused) co_return false;
  connection->busy = true;
  auto request = to_api(parser.get(), ids.next_hex128());
  api_response response;
  if (refused) {
    response = failure(*refused, request.request_id);
  } else {
    connection->trusted = true;  // it is complete, and its answer comes soon
    auto answering = options.answer(parser.get(), request);
    response = co_await std::move(answering);
    connection->trusted = false;
  }
  const bool keep_alive = !ec && parser.get().keep_alive() && !clients.stopped();
  const auto message = to_http(std::move(response), request, keep_alive);
  http::serializer<false, http::string_body> serializer{message};
  socket.expires_after(patience);
  co_await http::async_write(socket, serializer, no_throw(ec));
  connection->busy = false;
  co_return keep_alive && !ec && !clients.stopped();
}

task<> small_listener::impl::serve(std::shared_ptr<connection> connection) {
  beast::flat_buffer buffer{max_head_bytes + options.body_bytes};
  while (co_await serve_one(connection, buffer)) {
  }
  co_await end_connection(connection->socket, buffer);
}

small_listener::small_listener(asio::io_context& context, const config::endpoint& listen,
                               small_listener_options options)
    : impl_{std::make_shared<impl>(context, listen, std::move(options))} {}

small_listener::~small_listener() {
  stop();
}

void small_listener::start() {
  auto accepting = [self = impl_]() -> task<> {
    const auto serve = [self](std::shared_ptr<connection> each) {
      return self->serve(std::move(each));
    };
    co_await self->clients.accept(serve);
  };
  asio::co_spawn(impl_->context, std::move(accepting), asio::detached);
}

void small_listener::stop() {
  impl_->clients.stop();
}

asio::ip::tcp::endpoint small_listener::local_endpoint() const {
  return impl_->clients.local_endpoint();
}

}  // namespace tollgate::proxy::admin
