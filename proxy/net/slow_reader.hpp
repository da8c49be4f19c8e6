// Somebody who is sent a little for a long time, and may not read it: what waits for them in the
// kernel is bounded, and so is how long it waits.
#pragma once

#include <chrono>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace tollgate::proxy {

// `patience` zero: the kernel's own. It also ends connections whose peer has vanished without a
// word.
inline void bound_slow_reader(int socket, std::chrono::milliseconds patience) {
  const int bytes = 64 * 1024;
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  const auto most = static_cast<unsigned>(patience.count());
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof most);
}

}  // namespace tollgate::proxy
