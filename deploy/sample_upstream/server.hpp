// Accepts connections and serves their requests one after the other, all on one thread.
#pragma once

#include "deploy/sample_upstream/exchange.hpp"

namespace tollgate::sample_upstream {

using tcp_acceptor = asio::basic_socket_acceptor<asio::ip::tcp, executor>;

// Throws boost::system::system_error if the address is unavailable.
tcp_acceptor open_listener(asio::io_context& context, const std::string& host, std::uint16_t port);
task<> accept_connections(tcp_acceptor acceptor, statistics& counted);

}  // namespace tollgate::sample_upstream
