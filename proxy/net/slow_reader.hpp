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

}  // namespace tollgate::proxy
