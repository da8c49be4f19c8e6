// Puts bytes into a connection's buffer without a socket.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "proxy/net/http/byte_buffer.hpp"

namespace tollgate::tests {

inline void append(proxy::byte_buffer& buffer, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto space = buffer.prepare(proxy::byte_buffer::transfer_capacity);
    const auto n = std::min(space.size(), bytes.size());
    if (n == 0) return;
    std::memcpy(space.data(), bytes.data(), n);
    buffer.commit(n);
    bytes.remove_prefix(n);
  }
}

}  // namespace tollgate::tests
