// One request and its reply, as handlers see them. Bodies are never stored whole, except by
// read_text(), which is bounded.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace tollgate::sample_upstream {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;
template <class T = void>
using task = asio::awaitable<T, executor>;
inline constexpr asio::use_awaitable_t<executor> use_task{};
using steady_timer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, executor>;
using request_parser = http::request_parser<http::buffer_body>;

// The requested behaviour of a reply: `x-sample-*` request headers.
struct behaviour {
  std::optional<unsigned> status;            // x-sample-status: fail with this status
  std::chrono::milliseconds delay{0};        // x-sample-delay-ms: between two chunks
  std::chrono::milliseconds head_delay{0};   // x-sample-head-delay-ms: before the reply's head
  std::uint64_t chunks = 8;                  // x-sample-chunks: of a stream
  std::optional<std::uint64_t> break_after;  // x-sample-break-after: chunks, then reset; 0: no head
  std::optional<double> seconds;             // x-sample-seconds: of speech
};

// Counts the requests that reached this server, for tests. `GET /sample/stats` itself does not
// count.
struct statistics {
  std::uint64_t requests = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t aborted = 0;  // the client left before the reply was complete
  std::map<std::string, std::uint64_t> by_path;
  static constexpr std::size_t max_paths = 1'000;  // further ones count in the total only
};

struct body_digest {
  std::uint64_t bytes = 0;
  std::uint32_t crc32 = 0;
};

// The peer has left, or the request asked for a broken reply: the connection ends here.
struct connection_over {};

class exchange {
 public:
  exchange(tcp_socket& socket, beast::flat_buffer& buffer, request_parser& parser,
           statistics& counted);

  const http::request<http::buffer_body>& request() const { return parser_.get(); }
  std::string_view method() const;
  std::string_view target() const;
  std::string_view path() const;  // the target without its query
  std::string_view header(std::string_view name) const;
  const behaviour& asked() const { return asked_; }
  const statistics& counted() const { return counted_; }
  statistics& counted() { return counted_; }
  tcp_socket& socket() { return socket_; }
  bool keep_alive() const { return keep_alive_; }

  bool has_more() const { return !parser_.is_done(); }  // of the request's body
  // The next bytes of the body, if there are any; valid until the next call.
  task<std::string_view> read_piece();
  task<std::string> read_text();    // at most 16 MiB
  task<body_digest> digest_body();  // any size

  task<> reply(unsigned status, std::string_view type, std::string body);
  task<> reply_json(std::string body) { return reply(200, "application/json", std::move(body)); }
  // A reply with a declared length, filled with a repeating pattern.
  task<> reply_pattern(std::uint64_t bytes);

  task<> begin_stream(std::string_view type);
  // Called before each piece: waits as long as requested, or breaks off if requested.
  task<> pace();
  task<> stream(std::string piece);  // sends it at once
  task<> end_stream();

 private:
  std::string head(unsigned status, std::string_view type, std::string_view framing);
  task<> before_head();
  task<> pause(std::chrono::milliseconds duration);
  task<> write(std::string_view bytes);
  task<std::size_t> read_some(char* space, std::size_t size);
  [[noreturn]] void reset_connection();

  tcp_socket& socket_;
  beast::flat_buffer& buffer_;
  request_parser& parser_;
  statistics& counted_;
  behaviour asked_;
  bool keep_alive_;
  bool continue_sent_ = false;
  std::uint64_t pieces_ = 0;
  std::string space_;  // for read_piece()
};

}  // namespace tollgate::sample_upstream
