// The beginning of a client's connection, before its first request.
#pragma once

#include "proxy/gateway/downstream.hpp"
#include "proxy/gateway/runtime.hpp"

namespace tollgate::proxy {

enum class greeting : std::uint8_t {
  done,
  over,                // the client has gone, is too slow, or the TLS handshake failed
  wrong_proxy_header,  // malformed, or missing. Nothing that follows was read
  plain_http,          // no TLS where the listener needs it. Nothing was read
};

// Reads the PROXY protocol header, if the client is such a proxy, and does the TLS handshake, each
// within `timeouts.client_head`.
task<greeting> greet(downstream& client, const runtime& runtime);

}  // namespace tollgate::proxy
