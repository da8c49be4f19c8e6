// Accepts connections and serves requests on them, one after the other; one thread for all.
#pragma once

#include "deploy/sample_upstream/exchange.hpp"

namespace tollgate::sample_upstream {

using tcp_acceptor = asio::basic_socket_acceptor<asio::ip::tcp, executor>;

// Throws boost::system::system_error when the address is not to be had.
tcp_acceptor open_listener(asio::io_context& context, const std::string& host, std::uint16_t port);
task<> accept_connections(tcp_acceptor acceptor, statistics& counted);

}  // namespace tollgate::sample_upstream
