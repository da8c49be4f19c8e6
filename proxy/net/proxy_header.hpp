// The header of the PROXY protocol, versions 1 and 2, with which a load balancer begins a
// connection: the address of its client.
// https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy {

class proxy_header {
 public:
  enum class progress : std::uint8_t { incomplete, complete, malformed };

  // Takes bytes of the connection, in pieces of any size. Returns how many of them are the
  // header's; those after it are not looked at.
  std::size_t take(std::string_view bytes);

  progress state() const { return state_; }
  // Of a complete header: the client. Empty: the load balancer speaks for itself (a health check),
  // or does not know.
  const std::optional<asio::ip::address>& client() const { return client_; }

 private:
  static constexpr std::size_t longest_text = 107;    // version 1, with its CRLF
  static constexpr std::size_t longest_block = 4096;  // version 2, after the fixed part

  std::size_t take_until(std::size_t size, std::string_view bytes);
  std::size_t take_text(std::string_view bytes);
  void read_text();
  void read_fixed_part();
  void read_block();
  void fail() { state_ = progress::malformed; }

  std::string got_;
  std::size_t size_ = 0;  // version 2: of the whole header, once it is known
  progress state_ = progress::incomplete;
  std::optional<asio::ip::address> client_;
};

}  // namespace tollgate::proxy
