// Listening sockets.
#pragma once

#include <string>
#include <string_view>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "config/settings.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy {

// Of a unix socket, too: Asio's operations on it are the same.
using acceptor = asio::basic_socket_acceptor<asio::ip::tcp, io_executor>;

asio::ip::tcp::endpoint to_tcp(const config::endpoint& where);
std::string to_text(const asio::ip::tcp::endpoint& where);
// An IPv4 address in the form of IPv6 (`::ffff:192.0.2.1`), as a peer on `[::]` has it, is written
// as IPv4.
std::string to_text(const asio::ip::address& address);

// Whether other sockets may listen on the same address: then the kernel distributes the
// connections.
enum class sharing : bool { no, yes };

// Binds and listens. Throws config::setting_error of `key` on failure.
acceptor listen_on(asio::io_context& context, std::string_view key,
                   const asio::ip::tcp::endpoint& where, sharing how = sharing::no);

}  // namespace tollgate::proxy
