#include "proxy/payments/event_listener.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <spdlog/spdlog.h>

#include "proxy/net/api/connections.hpp"
#include "proxy/net/api/http_message.hpp"
#include "proxy/net/no_throw.hpp"
#include "quota/ids.hpp"

namespace tollgate::proxy::payments {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using request_parser = http::request_parser<http::string_body>;

constexpr std::size_t max_head_bytes = 16 * 1024, most_connections = 64;
constexpr std::chrono::seconds patience{
    10};  // for a head, a body, and the client's reading of an answer
constexpr std::chrono::seconds first_byte_patience{
    3};  // for a request to begin: idle connections are closed

}  // namespace

struct event_listener::impl : std::enable_shared_from_this<event_listener::impl> {
  using connection = admin::connection;

  impl(asio::io_context& io_context, const config::endpoint& listen, event_taker taker)
      : context{io_context},
        take{std::move(taker)},
        clients{listen_on(context, "payments.stripe.listen", to_tcp(listen)), most_connections} {}

  task<> serve(std::shared_ptr<connection> connection);
  task<bool> serve_one(std::shared_ptr<connection> connection, beast::flat_buffer& buffer);
  task<admin::api_response> answer(const request_parser& parser, const admin::api_request& request);

  asio::io_context& context;
  event_taker take;
  admin::connections clients;
  quota::random_id_source ids;
};

task<admin::api_response> event_listener::impl::answer(const request_parser& parser,
                                                       const admin::api_request& request) {
  if (request.path != config::stripe_events_path) {
    co_return admin::failure(admin::not_found("no such endpoint; Stripe's events come to " +
                                              std::string{config::stripe_events_path}),
                             request.request_id);
  }
  const auto signature = parser.get()["Stripe-Signature"];
  event_delivery delivery;
  delivery.method = request.method;
  delivery.signature.assign(signature.data(), signature.size());
  delivery.body = parser.get().body();
  delivery.request_id = request.request_id;
  co_return co_await take(std::move(delivery));
}

// True: the connection can take another request.
task<bool> event_listener::impl::serve_one(std::shared_ptr<connection> connection,
                                           beast::flat_buffer& buffer) {
  auto& socket = connection->socket;
  request_parser parser;
  parser.header_limit(max_head_bytes);
  parser.body_limit(most_event_bytes);
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
  const auto refused = admin::refusal(ec);
  if (ec && !refused) co_return false;
  connection->busy = true;
  const auto request = admin::to_api(parser.get(), ids.next_hex128());
  admin::api_response response;
  if (refused) {
    response = admin::failure(*refused, request.request_id);
  } else {
    response = co_await answer(parser, request);
  }
  const bool keep_alive = !ec && parser.get().keep_alive() && !clients.stopped();
  const auto message = admin::to_http(std::move(response), request, keep_alive);
  http::serializer<false, http::string_body> serializer{message};
  socket.expires_after(patience);
  co_await http::async_write(socket, serializer, no_throw(ec));
  connection->busy = false;
  co_return keep_alive && !ec && !clients.stopped();
}

task<> event_listener::impl::serve(std::shared_ptr<connection> connection) {
  beast::flat_buffer buffer{max_head_bytes + most_event_bytes};
  while (co_await serve_one(connection, buffer)) {
  }
  co_await admin::end_connection(connection->socket, buffer);
}

event_listener::event_listener(asio::io_context& context, const config::endpoint& listen,
                               event_taker taker)
    : impl_{std::make_shared<impl>(context, listen, std::move(taker))} {}

event_listener::~event_listener() {
  stop();
}

void event_listener::start() {
  auto accepting = [self = impl_]() -> task<> {
    const auto serve = [self](std::shared_ptr<admin::connection> each) {
      return self->serve(std::move(each));
    };
    co_await self->clients.accept(serve);
  };
  asio::co_spawn(impl_->context, std::move(accepting), asio::detached);
}

void event_listener::stop() {
  impl_->clients.stop();
}

tcp::endpoint event_listener::local_endpoint() const {
  return impl_->clients.local_endpoint();
}

}  // namespace tollgate::proxy::payments
