// A byte stream to a peer: TCP, with or without TLS, under a deadline. Reads and writes are Asio
// operations; one of each may be under way.
#pragma once

#include <array>
#include <memory>
#include <span>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_suffix.hpp>

#include "proxy/net/deadline.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy {

using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, io_executor>;

class transport final : private deadline {
 public:
  transport(tcp_socket socket, deadline_list& deadlines)
      : socket_{std::move(socket)}, deadlines_{deadlines} {}
  ~transport() override = default;

  tcp_socket& socket() { return socket_; }
  bool is_open() const { return socket_.is_open(); }

  task<error_code> accept_tls(asio::ssl::context& context);
  // SNI and certificate verification for `host`, unless `verify` is off.
  task<error_code> connect_tls(asio::ssl::context& context, const std::string& host, bool verify);

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Token>(token));
    return socket_.async_read_some(buffers, std::forward<Token>(token));
  }

  // Writes everything. Most writes fit the socket's buffer and never suspend.
  template <class Buffers>
  task<error_code> write(const Buffers& buffers) {
    error_code ec;
    if (tls_) {
      wrote_ += asio::buffer_size(buffers);
      co_await asio::async_write(*tls_, buffers, asio::redirect_error(use_task, ec));
      co_return ec;
    }
    const std::size_t all = asio::buffer_size(buffers);
    std::size_t written = socket_.write_some(buffers, ec);
    if (ec == asio::error::would_block) ec = {};
    wrote_ += written;
    if (ec || written == all) co_return ec;
    boost::beast::buffers_suffix<Buffers> rest{buffers};
    rest.consume(written);
    written = co_await asio::async_write(socket_, rest, asio::redirect_error(use_task, ec));
    wrote_ += written;
    co_return ec;
  }

  // Bytes handed to the socket so far. TLS does not say: there, a write counts as a whole.
  std::uint64_t wrote() const { return wrote_; }

  // The connection is closed when this passes; zero: no deadline.
  void expires_after(std::chrono::milliseconds after) { deadlines_.arm(*this, after); }
  void never_expires() { deadline_list::disarm(*this); }
  bool timed_out() const { return timed_out_; }

  // True when the peer has closed or sent something unasked: a pooled connection is then of no use.
  bool is_stale();

  // From now on a peer that is silent is asked every few seconds whether it is still there. One
  // whose process has closed the connection resets it, within a minute or so.
  void probe_peer();

  // Tells the peer that nothing follows; over TLS by its closing alert, without which the peer
  // would take what it got for truncated. `owner` keeps this object alive until that is done.
  void shutdown_send(std::shared_ptr<void> owner);
  // Makes close() tell the peer that something is missing.
  void reset_on_close();
  void close();

 private:
  void on_deadline() override {
    timed_out_ = true;
    close();
  }

  tcp_socket socket_;
  deadline_list& deadlines_;
  std::unique_ptr<asio::ssl::stream<tcp_socket&>> tls_;
  std::uint64_t wrote_ = 0;
  bool timed_out_ = false;
};

}  // namespace tollgate::proxy
