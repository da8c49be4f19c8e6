// A byte stream to a peer, with a deadline: TCP, with or without TLS, or a channel. Reads and
// writes are Asio operations; one of each may be running.
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

#include "proxy/net/byte_channel.hpp"
#include "proxy/net/deadline.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy {

using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, io_executor>;

// The reason why a certificate is not trusted: X.509 verification results.
const boost::system::error_category& certificate_category();

class transport final : private deadline {
 public:
  transport(tcp_socket socket, deadline_list& deadlines)
      : socket_{std::move(socket)}, deadlines_{deadlines} {}
  // `socket` stays closed.
  transport(tcp_socket socket, std::unique_ptr<byte_channel> channel, deadline_list& deadlines)
      : socket_{std::move(socket)},
        deadlines_{deadlines},
        channel_{std::move(channel)},
        plain_{false} {}
  ~transport() override = default;

  tcp_socket& socket() { return socket_; }
  bool is_open() const { return channel_ ? channel_->is_open() : socket_.is_open(); }

  task<error_code> accept_tls(asio::ssl::context& context);
  // Uses SNI and verifies the certificate for `host`, unless `verify` is off.
  task<error_code> connect_tls(asio::ssl::context& context, const std::string& host, bool verify);

  // Waits for bytes and copies some without taking them from the connection; not for TLS, nor for
  // a channel. 0: it has ended.
  task<std::size_t> peek(std::span<char> into);
  // Takes bytes that peek() has shown. False: it has ended.
  bool skip(std::span<char> shown);

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (plain_) return socket_.async_read_some(buffers, std::forward<Token>(token));
    if (tls_) return tls_->async_read_some(buffers, std::forward<Token>(token));
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, asio::mutable_buffer into) {
          channel_->read_some(into, std::move(handler));
        },
        token, asio::mutable_buffer{buffers});
  }

  // Writes everything. Most writes fit into the socket's buffer and never suspend: on hot paths,
  // calling write_now() first avoids a coroutine.
  template <class Buffers>
  task<error_code> write(const Buffers& buffers) {
    error_code ec;
    if (write_now(buffers, ec)) co_return ec;
    co_return co_await write_rest(buffers);
  }
  // Writes as much as possible without waiting. True: everything was written, or `ec` has the
  // error. False: pass the same buffers to write_rest().
  template <class Buffers>
  bool write_now(const Buffers& buffers, error_code& ec) {
    written_now_ = 0;
    if (!plain_) return channel_ && write_to_channel(buffers, ec);
    written_now_ = socket_.write_some(buffers, ec);
    if (ec == asio::error::would_block) ec = {};
    wrote_ += written_now_;
    return ec || written_now_ == asio::buffer_size(buffers);
  }
  template <class Buffers>
  task<error_code> write_rest(const Buffers& buffers) {
    error_code ec;
    writing_ = true;
    if (tls_) {
      co_await asio::async_write(*tls_, buffers, asio::redirect_error(use_task, ec));
    } else {
      boost::beast::buffers_suffix<Buffers> rest{buffers};
      rest.consume(written_now_);
      wrote_ += co_await asio::async_write(socket_, rest, asio::redirect_error(use_task, ec));
    }
    writing_ = false;
    co_return ec;
  }

  // Completes when the peer has reset the connection, or it is closed here.
  template <class Handler>
  void wait_for_reset(Handler handler) {
    if (channel_) return channel_->wait_for_reset(std::move(handler));
    socket_.async_wait(tcp_socket::wait_error, std::move(handler));
  }

  // Bytes passed to the socket so far; over TLS, with those that are about to be.
  std::uint64_t wrote() const;
  // A write waits for the peer to read.
  bool is_writing() const { return writing_; }

  // The connection is closed when this expires; zero: no deadline.
  void expires_after(std::chrono::milliseconds after) { deadlines_.arm(*this, after); }
  void never_expires() { deadline_list::disarm(*this); }
  bool timed_out() const { return timed_out_; }

  // Whether the peer has closed, or sent unexpected data: then a pooled connection is unusable.
  bool is_stale();

  // After the end of the stream has been read: whether the peer had closed before it received any
  // byte of what was written since wrote() was `before`. Then it cannot have acted on it: the end
  // acknowledges everything that was received before it.
  bool closed_before_it_received(std::uint64_t before);

  // From now on a silent peer is probed every few seconds. If its process has closed the
  // connection, the connection is reset within a minute or so.
  void probe_peer();

  // Tells the peer that nothing follows; over TLS with the closing alert, without which the peer
  // would treat the data as truncated. `owner` keeps this object alive until that is done.
  void shutdown_send(std::shared_ptr<void> owner);
  // Makes close() reset the connection, so that the peer sees truncation.
  void reset_on_close();
  void close();

 private:
  template <class Buffers>
  bool write_to_channel(const Buffers& buffers, error_code& ec) {
    const auto end = asio::buffer_sequence_end(buffers);
    for (auto each = asio::buffer_sequence_begin(buffers); !ec && each != end; ++each) {
      ec = channel_->write(*each);
      if (!ec) wrote_ += asio::const_buffer{*each}.size();
    }
    return true;
  }

  void on_deadline() override {
    timed_out_ = true;
    close();
  }

  tcp_socket socket_;
  deadline_list& deadlines_;
  std::unique_ptr<asio::ssl::stream<tcp_socket&>> tls_;
  std::unique_ptr<byte_channel> channel_;
  std::uint64_t wrote_ = 0;
  std::size_t written_now_ = 0;  // by the last write_now()
  bool timed_out_ = false;
  bool writing_ = false;
  bool plain_ = true;  // neither TLS nor a channel
  bool resets_ = false;
};

}  // namespace tollgate::proxy
