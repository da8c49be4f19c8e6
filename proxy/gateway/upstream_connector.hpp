// Makes new connections to one upstream: resolves its name, and tries its addresses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "proxy/gateway/connect_interest.hpp"
#include "proxy/gateway/open_connection.hpp"
#include "proxy/net/address_memory.hpp"
#include "proxy/net/http/byte_buffer.hpp"
#include "proxy/net/sleep.hpp"
#include "proxy/net/transport.hpp"

namespace tollgate::proxy {

struct upstream_connection {
  upstream_connection(tcp_socket socket, deadline_list& deadlines)
      : io{std::move(socket), deadlines} {}
  upstream_connection(tcp_socket closed, std::unique_ptr<byte_channel> channel,
                      deadline_list& deadlines)
      : io{std::move(closed), std::move(channel), deadlines} {}

  transport io;
  byte_buffer in;
  bool reused = false;                        // it has carried an exchange before
  std::chrono::steady_clock::duration age{};  // and was unused for so long before this one
  open_connection counted{};
};
using upstream_lease = std::unique_ptr<upstream_connection>;

// Null if the upstream has no TLS. Throws std::runtime_error if its `ca_file` cannot be used.
std::unique_ptr<asio::ssl::context> make_upstream_tls(const config::upstream_settings& upstream);

class upstream_connector {
 public:
  // `settings` outlive it. `timeout`: of a connection, with all attempts and TLS.
  upstream_connector(asio::io_context& context, deadline_list& deadlines,
                     const config::upstream_settings& settings, std::chrono::milliseconds timeout);

  // Ends early if `who` loses its interest. `who` outlives the call.
  task<result<upstream_lease>> connect(connect_interest& who);

  // From now on, looks names up with this function instead of the system's resolver.
  using endpoints = std::vector<asio::ip::tcp::endpoint>;
  using lookup = std::function<task<result<endpoints>>()>;
  void look_up_by(lookup other) { look_up_by_ = std::move(other); }

 private:
  task<result<upstream_lease>> connect_to_unix_socket(const connect_interest& who);
  task<result<endpoints>> resolve(connect_interest& who);
  task<result<endpoints>> wait_for_lookup(connect_interest& who);
  task<> look_up_and_tell();
  task<result<endpoints>> look_up();

  asio::io_context& context_;
  deadline_list& deadlines_;
  const config::upstream_settings& settings_;
  const std::chrono::milliseconds timeout_;
  std::unique_ptr<asio::ssl::context> tls_;
  endpoints resolved_;
  steady_time resolved_until_{};
  // One at a time: callers come and go, and a lookup cannot be interrupted.
  bool looking_up_ = false;
  result<endpoints> looked_up_{endpoints{}};  // the outcome of the last one
  pause_timer lookup_changed_;                // never expires; is cancelled to wake those who wait
  address_memory memory_;
  lookup look_up_by_;  // empty: look_up()
};

}  // namespace tollgate::proxy
