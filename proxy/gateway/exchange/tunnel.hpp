// A connection that is passed on unchanged in both directions: a WebSocket is priced per
// connection.
#pragma once

#include <chrono>
#include <cstdint>

#include "proxy/gateway/downstream.hpp"
#include "proxy/gateway/upstream.hpp"

namespace tollgate::proxy {

struct tunnelled {
  std::uint64_t up = 0, down = 0;  // bytes
};

// Runs until either side ends it, or both are silent for `idle`. Neither connection can be used
// afterwards.
task<> tunnel(downstream& client, upstream_connection& upstream, std::chrono::milliseconds idle,
              std::chrono::milliseconds client_write, tunnelled& bytes);

}  // namespace tollgate::proxy
