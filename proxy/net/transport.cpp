#include "proxy/net/transport.hpp"

#include <boost/asio/ssl/host_name_verification.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace tollgate::proxy {

task<std::size_t> transport::peek(std::span<char> into) {
  for (;;) {
    error_code ec;
    co_await socket_.async_wait(tcp_socket::wait_read, asio::redirect_error(use_task, ec));
    if (ec || !socket_.is_open()) co_return 0;
    const auto n =
        ::recv(socket_.native_handle(), into.data(), into.size(), MSG_PEEK | MSG_DONTWAIT);
    const bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (!again) co_return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
}

bool transport::skip(std::span<char> shown) {
  const auto n = ::recv(socket_.native_handle(), shown.data(), shown.size(), MSG_DONTWAIT);
  return n == static_cast<ssize_t>(shown.size());
}

task<error_code> transport::accept_tls(asio::ssl::context& context) {
  tls_ = std::make_unique<asio::ssl::stream<tcp_socket&>>(socket_, context);
  plain_ = false;
  error_code ec;
  co_await tls_->async_handshake(asio::ssl::stream_base::server,
                                 asio::redirect_error(use_task, ec));
  co_return ec;
}

task<error_code> transport::connect_tls(asio::ssl::context& context, const std::string& host,
                                        bool verify) {
  tls_ = std::make_unique<asio::ssl::stream<tcp_socket&>>(socket_, context);
  plain_ = false;
  error_code ec;
  asio::ip::make_address(host, ec);
  const bool is_name = static_cast<bool>(ec);  // RFC 6066: no SNI for addresses
  if (is_name && SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1) {
    co_return asio::error::make_error_code(asio::error::invalid_argument);
  }
  ec = {};
  if (verify) {
    tls_->set_verify_mode(asio::ssl::verify_peer);
    tls_->set_verify_callback(asio::ssl::host_name_verification{host});
  } else {
    tls_->set_verify_mode(asio::ssl::verify_none);
  }
  co_await tls_->async_handshake(asio::ssl::stream_base::client,
                                 asio::redirect_error(use_task, ec));
  co_return ec;
}

bool transport::is_stale() {
  if (channel_) return !channel_->is_open() || channel_->is_readable();
  char byte;
  const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void transport::probe_peer() {
  if (channel_) return;
  constexpr int every_s = 15, unanswered = 4;
  const int socket = socket_.native_handle();
  const auto set = [socket](int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_KEEPIDLE, every_s);
  set(IPPROTO_TCP, TCP_KEEPINTVL, every_s);
  set(IPPROTO_TCP, TCP_KEEPCNT, unanswered);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
}

void transport::shutdown_send(std::shared_ptr<void> owner) {
  error_code ignored;
  if (channel_) {
    channel_->shutdown_send();
  } else if (tls_) {
    tls_->async_shutdown([owner = std::move(owner)](error_code) {});
  } else {
    socket_.shutdown(tcp_socket::shutdown_send, ignored);
  }
}

void transport::reset_on_close() {
  error_code ignored;
  resets_ = true;
  if (channel_) return;
  socket_.set_option(asio::socket_base::linger{true, 0}, ignored);
}

void transport::close() {
  never_expires();
  error_code ignored;
  if (channel_) return channel_->close(resets_);
  socket_.close(ignored);
}

}  // namespace tollgate::proxy
