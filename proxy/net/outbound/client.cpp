#include "proxy/net/outbound/client.hpp"

#include <algorithm>
#include <stdexcept>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "proxy/net/connection_race.hpp"

namespace tollgate::proxy::outbound {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using plain_stream = beast::basic_stream<tcp, io_executor>;
using tls_stream = asio::ssl::stream<plain_stream&>;
using http_request = http::request<http::string_body>;
using time = std::chrono::steady_clock::time_point;

constexpr std::size_t max_head_bytes = 16 * 1024;

// How much of an answer to read.
struct answer_bounds {
  bool status_only;
  std::size_t body_bytes;
};

auto no_throw(error_code& ec) {
  return asio::redirect_error(use_task, ec);
}

http_request to_http(request&& from, const url& to) {
  http_request out{http::verb::unknown, from.target, 11};
  out.method_string(from.method);
  out.set(http::field::host, to.authority);
  out.set(http::field::user_agent, "tollgate/" TOLLGATE_VERSION);
  out.set(http::field::accept, "application/json");
  for (const auto& [name, value] : from.fields) out.set(name, value);
  out.keep_alive(false);
  out.body() = std::move(from.body);
  out.prepare_payload();
  return out;
}

// "HTTP/1.1 200" without the blank after it, which RFC 9112, 4, requires. The parser insists on it,
// so it is added.
constexpr std::string_view bare_status_line = "HTTP/1.d ddd\r\n";

// Whether the bytes so far match.
bool is_bare(const beast::flat_buffer& buffer) {
  const auto fits = [](char like, char c) {
    return like == 'd' ? c >= '0' && c <= '9' : c == like;
  };
  const auto known = bare_status_line.substr(0, std::min(buffer.size(), bare_status_line.size()));
  return std::equal(known.begin(), known.end(), static_cast<const char*>(buffer.data().data()),
                    fits);
}

// Reads enough of an answer to see its beginning. The parser reports any other error.
template <class Stream>
task<error_code> read_beginning(Stream& stream, beast::flat_buffer& buffer) {
  error_code ec;
  while (buffer.size() < bare_status_line.size() && is_bare(buffer)) {
    const auto n = co_await stream.async_read_some(buffer.prepare(4096), no_throw(ec));
    buffer.commit(n);
    // Reported here, as the parser would: Asio reports the end of a stream only once.
    if (ec == asio::error::eof && buffer.size() > 0) co_return http::error::partial_message;
    if (ec == asio::error::eof) co_return http::error::end_of_stream;
    if (ec) co_return ec;
  }
  if (buffer.size() < bare_status_line.size() || !is_bare(buffer)) co_return error_code{};
  buffer.commit(asio::buffer_copy(buffer.prepare(1), asio::buffer(" ", 1)));
  auto* const text = static_cast<char*>(buffer.data().data());
  std::rotate(text + bare_status_line.size() - 2, text + buffer.size() - 1, text + buffer.size());
  co_return error_code{};
}

template <class Stream>
task<result<reply>> read_answer(Stream& stream, beast::flat_buffer& buffer, answer_bounds bounds) {
  if (const auto failed = co_await read_beginning(stream, buffer)) co_return failed;
  error_code ec;
  http::response_parser<http::string_body> parser;
  parser.header_limit(max_head_bytes);
  parser.body_limit(bounds.body_bytes);
  if (bounds.status_only) {
    parser.body_limit(boost::none);
    co_await http::async_read_header(stream, buffer, parser, no_throw(ec));
  } else {
    co_await http::async_read(stream, buffer, parser, no_throw(ec));
  }
  if (ec) co_return ec;
  reply answer;
  answer.status = static_cast<int>(parser.get().result_int());
  answer.replayed = beast::iequals(parser.get()["Idempotent-Replayed"], "true");
  answer.body = std::move(parser.get().body());
  co_return answer;
}

// After a 1xx answer another one follows; 101 was not requested.
template <class Stream>
task<result<reply>> converse(Stream& stream, const http_request& request, answer_bounds bounds) {
  error_code ec;
  http::serializer<true, http::string_body> serializer{request};
  co_await http::async_write(stream, serializer, no_throw(ec));
  if (ec) co_return ec;
  beast::flat_buffer buffer{max_head_bytes + bounds.body_bytes};
  for (;;) {
    auto answer = co_await read_answer(stream, buffer, bounds);
    if (!answer || answer->status / 100 != 1 || answer->status == 101) co_return answer;
  }
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

// Without a separate resolver a lookup cannot be interrupted. A request that timed out during it
// has sent nothing.
task<result<std::vector<tcp::endpoint>>> look_up(const url& to) {
  error_code ec;
  asio::ip::basic_resolver<tcp, io_executor> names{co_await asio::this_coro::executor};
  const auto found = co_await names.async_resolve(to.host, std::to_string(to.port), no_throw(ec));
  if (ec) co_return ec;
  co_return std::vector<tcp::endpoint>{found.begin(), found.end()};
}

class plain_attempt final : public connection_attempt {
 public:
  plain_attempt(io_executor executor, tcp::endpoint to, time give_up)
      : stream_{std::make_unique<plain_stream>(executor)}, to_{std::move(to)}, give_up_{give_up} {}

  task<error_code> connect(std::function<void()>) override {
    if (std::chrono::steady_clock::now() >= give_up_) co_return beast::error::timeout;
    stream_->expires_at(give_up_);
    error_code ec;
    co_await stream_->async_connect(to_, no_throw(ec));
    co_return ec;
  }
  void close() override { stream_->close(); }
  std::unique_ptr<plain_stream> take() { return std::move(stream_); }

 private:
  std::unique_ptr<plain_stream> stream_;
  const tcp::endpoint to_;
  const time give_up_;
};

// Connects to one of the addresses that were checked, without another lookup: the name could now
// mean another one.
task<result<std::unique_ptr<plain_stream>>> connect(const std::vector<tcp::endpoint>& to,
                                                    time give_up, address_memory& memory) {
  const auto executor = co_await asio::this_coro::executor;
  const auto in_order = memory.in_order(to, std::chrono::steady_clock::now());
  std::vector<std::unique_ptr<connection_attempt>> attempts;
  std::vector<plain_attempt*> made;
  for (const auto& each : in_order) {
    auto attempt = std::make_unique<plain_attempt>(executor, each, give_up);
    made.push_back(attempt.get());
    attempts.push_back(std::move(attempt));
  }
  const auto race = std::make_shared<connection_race>(executor, std::move(attempts));
  const auto won = co_await race->run();
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    if (race->did_not_answer(i)) memory.did_not_answer(in_order[i], now);
  }
  if (!won) co_return won.error();
  memory.answered(in_order[*won]);
  co_return made[*won]->take();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // the base keeps its destructor protected

class client_category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "tollgate.outbound"; }
  std::string message(int) const override { return "the host has no public address"; }
};

#pragma GCC diagnostic pop

}  // namespace

error_code make_error_code(client_errc code) {
  static const client_category category;
  return {static_cast<int>(code), category};
}

client::client(const std::string& ca_file, address_rule may_connect, name_resolver* names)
    : may_connect_{std::move(may_connect)}, names_{names} {
  SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
  if (ca_file.empty()) {
    tls_.set_default_verify_paths();
  } else {
    error_code ec;
    tls_.load_verify_file(ca_file, ec);
    if (ec)
      throw std::runtime_error{
          std::string{"ca_file: "}.append(ca_file).append(": ").append(ec.message())};
  }
}

task<result<std::vector<tcp::endpoint>>> client::addresses(const url& to, std::string whose,
                                                           time give_up) {
  std::vector<tcp::endpoint> found;
  error_code is_name;
  const auto literal = asio::ip::make_address(to.host, is_name);
  if (!is_name) {
    found.emplace_back(literal, to.port);
  } else {
    auto looked_up = names_ != nullptr
                         ? names_->resolve(to.host, to.port, give_up, std::move(whose))
                         : look_up(to);
    auto answer = co_await std::move(looked_up);
    if (!answer) co_return answer.error();
    found = *std::move(answer);
  }
  if (may_connect_) {
    std::erase_if(found, [&](const auto& each) { return !may_connect_(each.address()); });
  }
  if (found.empty()) co_return client_errc::refused_address;
  co_return found;
}

task<result<reply>> client::send(url to, request what, time give_up) {
  const answer_bounds bounds{what.status_only, what.max_answer_bytes};
  auto whose = std::move(what.on_behalf_of);
  const auto message = to_http(std::move(what), to);
  const auto where = co_await addresses(to, std::move(whose), give_up);
  if (!where) co_return where.error();
  const auto socket = co_await connect(*where, give_up, memory_);
  if (!socket) co_return socket.error();
  if (!to.tls) co_return co_await converse(**socket, message, bounds);
  tls_stream stream{**socket, tls_};
  if (const auto ec = co_await shake_hands(stream, to.host)) co_return ec;
  co_return co_await converse(stream, message, bounds);
}

}  // namespace tollgate::proxy::outbound
