#include "deploy/sample_upstream/exchange.hpp"

#include <array>
#include <charconv>

#include <boost/asio/write.hpp>
#include <boost/crc.hpp>
#include <sys/socket.h>

namespace tollgate::sample_upstream {

namespace {

constexpr std::size_t piece_size = 64 * 1024;
constexpr std::size_t max_text = 16 * 1024 * 1024;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

behaviour read_behaviour(const exchange& x) {
  behaviour asked;
  asked.status = number<unsigned>(x.header("x-sample-status"));
  if (asked.status && (*asked.status < 200 || *asked.status > 599)) asked.status.reset();
  asked.chunks = number<std::uint64_t>(x.header("x-sample-chunks")).value_or(asked.chunks);
  asked.break_after = number<std::uint64_t>(x.header("x-sample-break-after"));
  asked.seconds = number<double>(x.header("x-sample-seconds"));
  asked.delay =
      std::chrono::milliseconds{number<unsigned>(x.header("x-sample-delay-ms")).value_or(0)};
  asked.head_delay =
      std::chrono::milliseconds{number<unsigned>(x.header("x-sample-head-delay-ms")).value_or(0)};
  return asked;
}

// Whether the peer has closed or reset: then nobody waits for the reply.
bool is_peer_gone(tcp_socket& socket) {
  char byte;
  const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

exchange::exchange(tcp_socket& socket, beast::flat_buffer& buffer, request_parser& parser,
                   statistics& counted)
    : socket_{socket},
      buffer_{buffer},
      parser_{parser},
      counted_{counted},
      keep_alive_{parser.get().keep_alive()} {
  asked_ = read_behaviour(*this);
}

std::string_view exchange::method() const {
  return view(request().method_string());
}
std::string_view exchange::target() const {
  return view(request().target());
}
std::string_view exchange::path() const {
  return target().substr(0, target().find('?'));
}
std::string_view exchange::header(std::string_view name) const {
  return view(request()[beast::string_view{name.data(), name.size()}]);
}

task<std::size_t> exchange::read_some(char* space, std::size_t size) {
  if (!continue_sent_ && header("expect") == "100-continue" && !parser_.is_done()) {
    continue_sent_ = true;
    co_await write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  auto& body = parser_.get().body();
  body.data = space;
  body.size = size;
  boost::system::error_code ec;
  co_await http::async_read_some(socket_, buffer_, parser_, asio::redirect_error(use_task, ec));
  if (ec && ec != http::error::need_buffer) throw connection_over{};
  co_return size - body.size;
}

task<std::string_view> exchange::read_piece() {
  space_.resize(piece_size);
  const auto got = co_await read_some(space_.data(), space_.size());
  co_return std::string_view{space_.data(), got};
}

task<std::string> exchange::read_text() {
  std::string text;
  std::array<char, 4096> space;
  while (has_more()) {
    text.append(space.data(), co_await read_some(space.data(), space.size()));
    if (text.size() > max_text) throw connection_over{};
  }
  co_return text;
}

task<body_digest> exchange::digest_body() {
  body_digest digest;
  boost::crc_32_type crc;
  while (has_more()) {
    const auto piece = co_await read_piece();
    crc.process_bytes(piece.data(), piece.size());
    digest.bytes += piece.size();
  }
  digest.crc32 = crc.checksum();
  co_return digest;
}

std::string exchange::head(unsigned status, std::string_view type, std::string_view framing) {
  const auto reason = view(http::obsolete_reason(static_cast<http::status>(status)));
  std::string text = "HTTP/1.1 " + std::to_string(status) + " ";
  text.append(reason).append("\r\nServer: tollgate-sample-upstream\r\n");
  if (!type.empty()) text.append("Content-Type: ").append(type).append("\r\n");
  text.append(framing);
  text.append(keep_alive_ ? "\r\n" : "Connection: close\r\n\r\n");
  return text;
}

task<> exchange::before_head() {
  // Reads an unused body to its end, so that the next request on the connection can be read.
  if (has_more()) co_await digest_body();
  co_await pause(asked_.head_delay);
  if (asked_.break_after == 0u) reset_connection();
}

task<> exchange::reply(unsigned status, std::string_view type, std::string body) {
  co_await before_head();
  if (status == 204 || status == 304) {
    co_await write(head(status, {}, {}));
    co_return;
  }
  auto whole = head(status, type, "Content-Length: " + std::to_string(body.size()) + "\r\n");
  if (method() != "HEAD") whole += body;
  co_await write(whole);
}

task<> exchange::reply_pattern(std::uint64_t bytes) {
  co_await before_head();
  co_await write(
      head(200, "application/octet-stream", "Content-Length: " + std::to_string(bytes) + "\r\n"));
  if (method() == "HEAD") co_return;
  std::string pattern(piece_size, '\0');
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<char>(i % 251);
  while (bytes > 0) {
    const auto piece = std::min<std::uint64_t>(bytes, pattern.size());
    co_await write({pattern.data(), static_cast<std::size_t>(piece)});
    bytes -= piece;
  }
}

task<> exchange::begin_stream(std::string_view type) {
  co_await before_head();
  co_await write(head(200, type, "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n"));
}

task<> exchange::pace() {
  if (asked_.break_after && pieces_ >= *asked_.break_after) reset_connection();
  if (pieces_++ > 0) co_await pause(asked_.delay);
}

task<> exchange::stream(std::string piece) {
  std::array<char, 16> size;
  const auto end = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr;
  std::string chunk{size.data(), end};
  chunk.append("\r\n").append(piece).append("\r\n");
  co_await write(chunk);
}

task<> exchange::end_stream() {
  co_await write("0\r\n\r\n");
}

// Checks occasionally whether the peer is still there, so that an abandoned call ends early, as on
// a real platform.
task<> exchange::pause(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds slice{50};
  steady_timer timer{socket_.get_executor()};
  while (duration.count() > 0) {
    const auto step = std::min(duration, slice);
    timer.expires_after(step);
    co_await timer.async_wait(use_task);
    duration -= step;
    if (is_peer_gone(socket_)) {
      ++counted_.aborted;
      throw connection_over{};
    }
  }
}

task<> exchange::write(std::string_view bytes) {
  boost::system::error_code ec;
  co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()),
                             asio::redirect_error(use_task, ec));
  if (ec) {
    ++counted_.aborted;
    throw connection_over{};
  }
}

void exchange::reset_connection() {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger{true, 0}, ignored);
  throw connection_over{};
}

}  // namespace tollgate::sample_upstream
