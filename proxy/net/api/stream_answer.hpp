// Sends an answer whose body is produced while it is sent, then closes the connection.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/basic_stream.hpp>

#include "proxy/net/api/http_message.hpp"

namespace tollgate::proxy::admin {

using tcp_stream = boost::beast::basic_stream<asio::ip::tcp, io_executor>;

struct stream_rules {
  std::chrono::milliseconds write_timeout{30'000};
  // Called about once a second: whether the reader is still authorized.
  std::function<task<bool>()> is_welcome;
};

// `version` is the request's: 10 or 11. HTTP/1.0 has no chunks: there the body ends with the
// connection.
task<> send_stream(std::shared_ptr<tcp_stream> socket, api_response answer, api_request request,
                   unsigned version, stream_rules rules);

}  // namespace tollgate::proxy::admin
