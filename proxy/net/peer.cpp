#include "proxy/net/peer.hpp"

#include <algorithm>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include "config/network.hpp"
#include "proxy/net/acceptor.hpp"

namespace tollgate::proxy {

std::optional<peer_address> peer_of(tcp_socket& socket) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  if (::getpeername(socket.native_handle(), reinterpret_cast<sockaddr*>(&raw), &size) != 0) {
    return {};
  }
  peer_address out;
  if (raw.ss_family == AF_UNIX) {
    out.is_unix = true;
    out.text = "unix:";
    return out;
  }
  asio::ip::tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), &raw, std::min<std::size_t>(size, endpoint.capacity()));
  const auto address = endpoint.address();
  out.text = to_text(address);
  out.bytes = address.is_v6()
                  ? address.to_v6().to_bytes()
                  : asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()).to_bytes();
  return out;
}

bool is_proxy(const peer_address& who, const config::listen_settings& listen) {
  if (who.is_unix) return listen.unix_proxies;
  return std::ranges::any_of(listen.proxies,
                             [&](const auto& each) { return config::contains(each, who.bytes); });
}

}  // namespace tollgate::proxy
