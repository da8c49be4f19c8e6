// For a connection that carries little data for a long time and whose peer may not read: limits the
// kernel's buffer, and the time that data waits in it.
#pragma once

#include <chrono>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace tollgate::proxy {

// `patience` zero: the kernel's default. It also ends connections whose peer has silently
// disappeared.
inline void bound_slow_reader(int socket, std::chrono::milliseconds patience) {
  const int bytes = 64 * 1024;
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  const auto most = static_cast<unsigned>(patience.count());
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof most);
}

// For every client: how much of an answer waits in the kernel before it is sent. Without a bound, a
// client that does not read can make it several MiB per connection. It does not bound what is on
// its way to a client that reads.
inline void bound_unsent(int socket) {
  const int bytes = 128 * 1024;
  setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

}  // namespace tollgate::proxy
