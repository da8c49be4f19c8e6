#include "proxy/net/acceptor.hpp"

#include <string>

#include <sys/socket.h>

#include "config/setting_error.hpp"

namespace tollgate::proxy {

namespace {

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr int backlog = 4096;

void open(acceptor& socket, const asio::ip::tcp::endpoint& where, sharing how) {
  socket.open(where.protocol());
  socket.set_option(asio::socket_base::reuse_address{true});
  if (how == sharing::yes) socket.set_option(reuse_port{true});
  socket.bind(where);
  socket.listen(backlog);
}

}  // namespace

asio::ip::tcp::endpoint to_tcp(const config::endpoint& where) {
  return {asio::ip::make_address(where.host), where.port};
}

std::string to_text(const asio::ip::tcp::endpoint& where) {
  const auto host = where.address().to_string();
  return (where.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(where.port());
}

std::string to_text(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

acceptor listen_on(asio::io_context& context, std::string_view key,
                   const asio::ip::tcp::endpoint& where, sharing how) {
  try {
    acceptor out{context};
    open(out, where, how);
    return out;
  } catch (const boost::system::system_error& error) {
    throw config::setting_error{std::string{key}, to_text(where) + ": " + error.code().message()};
  }
}

}  // namespace tollgate::proxy
