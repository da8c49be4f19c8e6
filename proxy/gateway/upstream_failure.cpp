#include "proxy/gateway/upstream_failure.hpp"

#include <array>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include "proxy/net/transport.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::array<std::string_view, upstream_cause_count> cause_names{
    "none",           "unknown_host",    "resolver_failed",
    "refused",        "unreachable",     "no_socket",
    "no_descriptors", "timeout_connect", "untrusted_certificate",
    "tls_error",      "reset",           "closed",
    "timeout_answer", "timeout_body",    "bad_answer",
    "other"};
static_assert(static_cast<std::size_t>(upstream_cause::other) + 1 == upstream_cause_count);

bool is_of_tls(const error_code& ec) {
  return ec.category() == asio::error::get_ssl_category() ||
         ec.category() == asio::ssl::error::get_stream_category();
}

}  // namespace

std::string_view to_string(upstream_cause cause) {
  return cause_names[static_cast<std::size_t>(cause)];
}

upstream_cause cause_of_no_connection(const error_code& ec) {
  using enum upstream_cause;
  namespace errc = boost::system::errc;
  if (!ec) return none;
  if (ec.category() == certificate_category()) return untrusted_certificate;
  if (is_of_tls(ec)) return tls_error;
  if (ec == asio::error::host_not_found_try_again) return resolver_failed;
  if (ec.category() == asio::error::get_netdb_category()) return unknown_host;
  if (ec.category() == asio::error::get_addrinfo_category()) return unknown_host;
  if (ec == asio::error::timed_out) return timeout_connect;
  if (ec == asio::error::connection_refused) return refused;
  if (ec == asio::error::connection_reset) return reset;
  if (ec == errc::no_such_file_or_directory || ec == errc::permission_denied) return no_socket;
  if (ec == errc::too_many_files_open || ec == errc::too_many_files_open_in_system) {
    return no_descriptors;
  }
  if (ec == asio::error::network_unreachable || ec == asio::error::host_unreachable ||
      ec == errc::network_down || ec == errc::address_not_available) {
    return unreachable;
  }
  return other;
}

upstream_cause cause_of_end(const error_code& ec) {
  if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated) {
    return upstream_cause::closed;
  }
  // A peer that no longer acknowledges is gone, whatever the reason.
  return upstream_cause::reset;
}

}  // namespace tollgate::proxy
