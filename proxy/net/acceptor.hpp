// Listening sockets.
#pragma once

#include <string>
#include <string_view>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "config/settings.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy {

using acceptor = asio::basic_socket_acceptor<asio::ip::tcp, io_executor>;

asio::ip::tcp::endpoint to_tcp(const config::endpoint& where);
std::string to_text(const asio::ip::tcp::endpoint& where);

// Whether other sockets may listen on the same address: then the kernel distributes the
// connections.
enum class sharing : bool { no, yes };

// Binds and listens. Throws std::runtime_error on failure; the message contains `key`, the
// configuration key.
acceptor listen_on(asio::io_context& context, std::string_view key,
                   const asio::ip::tcp::endpoint& where, sharing how = sharing::no);

}  // namespace tollgate::proxy
