#include "proxy/cli/webhook_listener.hpp"

#include <ostream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "proxy/cli/table.hpp"
#include "proxy/text/json.hpp"
#include "proxy/text/text.hpp"
#include "proxy/webhooks/received.hpp"

namespace tollgate::proxy {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using stream = beast::basic_stream<asio::ip::tcp, io_executor>;
using http_request = http::request<http::string_body>;
using http_response = http::response<http::string_body>;

constexpr std::uint64_t largest_body = 1024 * 1024;
constexpr std::chrono::seconds delivery_timeout{10};

std::string field(const http_request& request, const char* name) {
  const auto value = request[name];
  return {value.data(), value.size()};
}

}  // namespace

webhook_listener::webhook_listener(std::uint16_t port, std::ostream& out) : out_{out} {
  struct sigaction known {};
  sigaction(SIGHUP, nullptr, &known);
  if (known.sa_handler != SIG_IGN) signals_.add(SIGHUP);  // unless run by nohup
  std::signal(SIGPIPE, SIG_IGN);                          // writing to the output fails instead
  const tcp::endpoint where{asio::ip::address_v4::loopback(), port};
  acceptor_.open(where.protocol());
  acceptor_.set_option(asio::socket_base::reuse_address{true});
  acceptor_.bind(where);
  acceptor_.listen();
}

std::string webhook_listener::url() const {
  return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/";
}

void webhook_listener::run(const listener_options& options) {
  options_ = options;
  signals_.async_wait([this](error_code, int) { context_.stop(); });
  const auto accepting = [](webhook_listener& self) -> task<> { co_await self.accept(); };
  asio::co_spawn(context_, accepting(*this), asio::detached);
  context_.run();
}

task<> webhook_listener::accept() {
  for (;;) {
    auto socket = co_await acceptor_.async_accept(use_task);
    const auto serving = [](webhook_listener& self, tcp_connection accepted) -> task<> {
      co_await self.serve(std::move(accepted));
    };
    // A broken connection ends its task with an exception, which is ignored.
    asio::co_spawn(context_, serving(*this, std::move(socket)), asio::detached);
  }
}

task<> webhook_listener::serve(tcp_connection socket) {
  stream connection{std::move(socket)};
  connection.expires_after(delivery_timeout);
  beast::flat_buffer buffer;
  http::request_parser<http::string_body> parser;
  parser.body_limit(largest_body);
  co_await http::async_read(connection, buffer, parser, use_task);
  const auto& request = parser.get();
  const auto wrong = take(field(request, "webhook-id"), field(request, "webhook-timestamp"),
                          field(request, "webhook-signature"), request.body());
  http_response response{wrong.empty() ? http::status::ok : http::status::bad_request, 11};
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.keep_alive(false);
  response.body() = wrong.empty() ? "" : wrong + "\n";
  response.prepare_payload();
  http::serializer<false, http::string_body> serializer{response};
  co_await http::async_write(connection, serializer, use_task);
}

std::string webhook_listener::take(const std::string& id, const std::string& timestamp,
                                   const std::string& signature, const std::string& body) {
  webhooks::received what;
  what.id = id;
  what.timestamp = timestamp;
  what.signature = signature;
  what.body = body;
  auto wrong = webhooks::refuse_delivery(what, options_.secret, quota::system_clock{}.now());
  if (wrong.empty()) {
    print(id, body);
  } else {
    out_ << (options_.json ? "" : "refused: " + wrong + "\n") << std::flush;
  }
  if (!out_) context_.stop();
  return wrong;
}

void webhook_listener::print(const std::string& id, const std::string& body) {
  const auto event = admin::read_json(body);
  if (options_.json || !event) {
    out_ << body << std::endl;
    return;
  }
  out_ << cell_text(event->find("created_at")) << "  " << cell_text(event->find("org")) << "  "
       << cell_text(event->find("type")) << "  " << id << "  ";
  if (const auto* data = event->find("data")) print_json(out_, *data);
  out_ << std::flush;
}

}  // namespace tollgate::proxy
