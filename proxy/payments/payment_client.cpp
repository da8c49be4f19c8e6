#include "proxy/payments/payment_client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace tollgate::proxy::payments {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using plain_stream = beast::basic_stream<tcp, io_executor>;
using tls_stream = asio::ssl::stream<plain_stream&>;
using http_request = http::request<http::string_body>;
using time = std::chrono::steady_clock::time_point;

constexpr std::size_t max_answer_bytes = 64 * 1024, max_head_bytes = 16 * 1024;

auto no_throw(error_code& ec) {
  return asio::redirect_error(use_task, ec);
}

http_request to_http(payment_request&& from, const payment_address& to) {
  http_request request{http::verb::unknown, from.target, 11};
  request.method_string(from.method);
  request.set(http::field::host, to.authority);
  request.set(http::field::user_agent, "tollgate/" TOLLGATE_VERSION);
  request.set(http::field::accept, "application/json");
  for (const auto& [name, value] : from.fields) request.set(name, value);
  request.keep_alive(false);
  request.body() = std::move(from.body);
  request.prepare_payload();
  return request;
}

template <class Stream>
task<result<payment_reply>> converse(Stream& stream, const http_request& request) {
  error_code ec;
  http::serializer<true, http::string_body> serializer{request};
  co_await http::async_write(stream, serializer, no_throw(ec));
  if (ec) co_return ec;
  beast::flat_buffer buffer{max_head_bytes + max_answer_bytes};
  http::response_parser<http::string_body> parser;
  parser.header_limit(max_head_bytes);
  parser.body_limit(max_answer_bytes);
  co_await http::async_read(stream, buffer, parser, no_throw(ec));
  if (ec) co_return ec;
  payment_reply reply;
  reply.status = static_cast<int>(parser.get().result_int());
  reply.body = std::move(parser.get().body());
  co_return reply;
}

task<error_code> shake_hands(tls_stream& stream, std::string host) {
  error_code ec;
  asio::ip::make_address(host, ec);
  const bool is_name = static_cast<bool>(ec);  // RFC 6066: no SNI for addresses
  if (is_name && SSL_set_tlsext_host_name(stream.native_handle(), host.c_str()) != 1) {
    co_return asio::error::make_error_code(asio::error::invalid_argument);
  }
  ec = {};
  stream.set_verify_mode(asio::ssl::verify_peer);
  stream.set_verify_callback(asio::ssl::host_name_verification{host});
  co_await stream.async_handshake(asio::ssl::stream_base::client, no_throw(ec));
  co_return ec;
}

// Resolving a name cannot be interrupted. Whoever was kept waiting too long by it has sent nothing.
task<error_code> connect(plain_stream& stream, payment_address to, time give_up) {
  error_code ec;
  asio::ip::basic_resolver<tcp, io_executor> names{stream.get_executor()};
  const auto found = co_await names.async_resolve(to.host, std::to_string(to.port), no_throw(ec));
  if (ec) co_return ec;
  if (std::chrono::steady_clock::now() >= give_up) {
    co_return beast::error::timeout;
  }
  stream.expires_at(give_up);
  co_await stream.async_connect(found, no_throw(ec));
  co_return ec;
}

}  // namespace

payment_client::payment_client(payment_address to, const std::string& ca_file)
    : to_{std::move(to)} {
  SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
  if (ca_file.empty()) {
    tls_.set_default_verify_paths();
  } else {
    tls_.load_verify_file(ca_file);
  }
}

task<result<payment_reply>> payment_client::send(payment_request request, time give_up) {
  const auto message = to_http(std::move(request), to_);
  plain_stream socket{co_await asio::this_coro::executor};
  if (const auto ec = co_await connect(socket, to_, give_up)) co_return ec;
  if (!to_.tls) co_return co_await converse(socket, message);
  tls_stream stream{socket, tls_};
  if (const auto ec = co_await shake_hands(stream, to_.host)) co_return ec;
  co_return co_await converse(stream, message);
}

}  // namespace tollgate::proxy::payments
