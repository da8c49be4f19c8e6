#include "proxy/net/transport.hpp"

#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/x509_vfy.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace tollgate::proxy {

namespace {

// Instead of "certificate verify failed", why. A name that does not match has no result of its own.
error_code why_not_trusted(SSL* tls, error_code failed) {
  if (failed.category() != asio::error::get_ssl_category()) return failed;
  if (ERR_GET_REASON(static_cast<unsigned long>(failed.value())) !=
      SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return failed;
  }
  auto result = static_cast<int>(SSL_get_verify_result(tls));
  if (result == X509_V_OK || result == X509_V_ERR_UNSPECIFIED) {
    result = X509_V_ERR_HOSTNAME_MISMATCH;
  }
  return {result, certificate_category()};
}

// The socket of an upstream may be one of another family.
bool is_tcp(int socket) {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  return ::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         protocol == IPPROTO_TCP;
}

}  // namespace

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
  co_return why_not_trusted(tls_->native_handle(), ec);
}

bool transport::is_stale() {
  if (channel_) return !channel_->is_open() || channel_->is_readable();
  char byte;
  const auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

// Only TCP acknowledges bytes. For a unix socket SIOCOUTQ is the memory of messages that have not
// been read to their end, so it says nothing about the bytes before.
bool transport::closed_before_it_received(std::uint64_t before) {
  if (channel_ || wrote() == before || !is_tcp(socket_.native_handle())) return false;
  int unacknowledged = 0;
  return ::ioctl(socket_.native_handle(), SIOCOUTQ, &unacknowledged) == 0 &&
         static_cast<std::uint64_t>(unacknowledged) >= wrote() - before;
}

// Over TLS these are the bytes of its records, as the peer acknowledges them.
std::uint64_t transport::wrote() const {
  return tls_ ? ::BIO_number_written(::SSL_get_wbio(tls_->native_handle())) : wrote_;
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
