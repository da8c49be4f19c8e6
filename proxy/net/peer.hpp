// Who is at the other end of an accepted connection.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "proxy/net/transport.hpp"

namespace tollgate::proxy {

struct peer_address {
  std::string text;  // without the port; "unix:" for a unix socket
  std::array<std::uint8_t, 16> bytes{};
  bool is_unix = false;
};

// Empty: it has gone already.
std::optional<peer_address> peer_of(tcp_socket& socket);

// Whether this peer begins its connection with a PROXY protocol header.
bool is_proxy(const peer_address& who, const config::listen_settings& listen);

}  // namespace tollgate::proxy
