// One client connection: request heads in, one exchange after the other, until either side ends it.
#pragma once

#include <memory>

#include "proxy/gateway/downstream.hpp"
#include "proxy/gateway/worker.hpp"

namespace tollgate::proxy {

// Runs on its own until the connection is closed.
void start_session(worker& worker, tcp_socket socket);
void start_session(worker& worker, std::shared_ptr<downstream> client);

}  // namespace tollgate::proxy
