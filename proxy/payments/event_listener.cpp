#include "proxy/payments/event_listener.hpp"

#include <list>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <spdlog/spdlog.h>

#include "proxy/acceptor.hpp"
#include "proxy/admin/http_message.hpp"
#include "proxy/admin/stream_answer.hpp"
#include "quota/ids.hpp"

namespace tollgate::proxy::payments {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;
using request_parser = http::request_parser<http::string_body>;

constexpr std::size_t max_head_bytes = 16 * 1024, most_connections = 64;
constexpr std::chrono::seconds patience{10};  // for a head, a body, an answer that is taken
constexpr std::chrono::seconds first_byte_patience{3};  // for a request to begin: idle connections go

auto no_throw(error_code& ec) {
  return asio::redirect_error(use_task, ec);
}

}  // namespace

struct event_listener::impl : std::enable_shared_from_this<event_listener::impl> {
  struct connection {
    admin::tcp_stream socket;
    bool idle = true;   // no byte of a request has come
    bool busy = false;  // between the end of a request and the end of its answer
  };

  impl(asio::io_context& io_context, const config::endpoint& listen, event_taker taker)
      : context{io_context},
        take{std::move(taker)},
        listener{listen_on(context, "payments.stripe.listen", to_tcp(listen))} {}

  task<> accept_all();
  bool make_room();
  task<> serve(std::shared_ptr<connection> connection);
  task<bool> serve_one(std::shared_ptr<connection> connection, beast::flat_buffer& buffer);
  task<admin::api_response> answer(const request_parser& parser, const admin::api_request& request);

  asio::io_context& context;
  event_taker take;
  acceptor listener;
  std::list<std::weak_ptr<connection>> connections;
  quota::random_id_source ids;
  bool stopped = false;
};

task<admin::api_response> event_listener::impl::answer(const request_parser& parser,
                                                       const admin::api_request& request) {
  if (request.path != config::stripe_events_path) {
    co_return admin::failure(admin::not_found("Stripe's events come to " +
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
  const bool keep_alive = !ec && parser.get().keep_alive() && !stopped;
  const auto message = admin::to_http(std::move(response), request, keep_alive);
  http::serializer<false, http::string_body> serializer{message};
  socket.expires_after(patience);
  co_await http::async_write(socket, serializer, no_throw(ec));
  connection->busy = false;
  co_return keep_alive && !ec && !stopped;
}

task<> event_listener::impl::serve(std::shared_ptr<connection> connection) {
  beast::flat_buffer buffer{max_head_bytes + most_event_bytes};
  while (co_await serve_one(connection, buffer)) {
  }
  error_code ec;
  connection->socket.socket().shutdown(tcp::socket::shutdown_send, ec);
  // What the client still sends is read and dropped for a moment: closing at once would reset the
  // connection and take the answer away from it.
  connection->socket.expires_after(std::chrono::seconds{1});
  buffer.clear();
  while (!ec) co_await connection->socket.async_read_some(buffer.prepare(4096), no_throw(ec));
}

// Nobody who opens connections and says nothing keeps Stripe out: where there are too many, the one that
// has been open the longest goes, first of those without a request, then of those that have not sent all of it.
bool event_listener::impl::make_room() {
  connections.remove_if([](const auto& each) { return each.expired(); });
  if (connections.size() < most_connections) return true;
  for (const bool idle : {true, false}) {
    for (auto each = connections.begin(); each != connections.end(); ++each) {
      const auto open = each->lock();
      if (!open || open->busy || open->idle != idle) continue;
      open->socket.close();
      connections.erase(each);
      return true;
    }
  }
  return false;
}

task<> event_listener::impl::accept_all() {
  const auto self = shared_from_this();
  while (!stopped) {
    error_code ec;
    auto socket = co_await listener.async_accept(no_throw(ec));
    if (stopped) break;
    if (ec) {  // out of descriptors: wait for some to come back
      timer pause{context, std::chrono::milliseconds{100}};
      co_await pause.async_wait(no_throw(ec));
      continue;
    }
    if (!make_room()) continue;  // closes the new one
    const auto accepted = std::make_shared<connection>(admin::tcp_stream{std::move(socket)});
    connections.emplace_back(accepted);
    auto serving = [self, accepted]() -> task<> { co_await self->serve(accepted); };
    asio::co_spawn(context, std::move(serving), asio::detached);
  }
}

event_listener::event_listener(asio::io_context& context, const config::endpoint& listen,
                               event_taker taker)
    : impl_{std::make_shared<impl>(context, listen, std::move(taker))} {}

event_listener::~event_listener() {
  stop();
}

void event_listener::start() {
  auto accepting = [self = impl_]() -> task<> { co_await self->accept_all(); };
  asio::co_spawn(impl_->context, std::move(accepting), asio::detached);
}

void event_listener::stop() {
  impl_->stopped = true;
  error_code ignored;
  impl_->listener.close(ignored);
  for (const auto& weak : impl_->connections) {
    if (const auto open = weak.lock(); open && !open->busy) open->socket.close();
  }
}

tcp::endpoint event_listener::local_endpoint() const {
  return impl_->listener.local_endpoint();
}

}  // namespace tollgate::proxy::payments
