// Why an upstream gave no answer, or no complete one: for the logs and the metrics.
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/system/error_code.hpp>

namespace tollgate::proxy {

enum class upstream_cause : std::uint8_t {
  none,  // it did not fail
  unknown_host,
  resolver_failed,  // the name servers do not answer
  refused,
  unreachable,      // there is no way to its network
  no_socket,        // no such unix socket, or no permission
  no_descriptors,   // this process has too many open
  timeout_connect,  // no connection in time, TLS included
  untrusted_certificate,
  tls_error,       // the handshake failed: often, the port is a plain one
  reset,           // the connection was reset before the answer, or during it
  closed,          // likewise closed
  timeout_answer,  // no head of an answer in time
  timeout_body,    // the answer paused for too long
  bad_answer,      // not HTTP/1.1
  other
};
inline constexpr std::size_t upstream_cause_count = 16;
std::string_view to_string(upstream_cause cause);  // "unknown_host"

using boost::system::error_code;

// Why there is no connection.
upstream_cause cause_of_no_connection(const error_code& ec);
// Why a connection in use has ended.
upstream_cause cause_of_end(const error_code& ec);

struct upstream_failure {
  upstream_cause cause = upstream_cause::none;
  error_code why;
};

}  // namespace tollgate::proxy
