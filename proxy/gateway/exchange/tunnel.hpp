// A connection that is passed on unchanged in both directions: a WebSocket is priced per
// connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/gateway/downstream.hpp"
#include "proxy/gateway/upstream.hpp"
#include "proxy/net/http/websocket_frames.hpp"

namespace tollgate::proxy {

class tunnel {
 public:
  tunnel(downstream& client, upstream_connection& upstream,
         const config::timeout_settings& timeouts)
      : client_{client}, upstream_{upstream}, timeouts_{timeouts} {}

  // Runs until either side ends it, or both are silent for `timeouts.idle`. Neither connection can
  // be used afterwards.
  task<> run();
  // Ends it soon: the client gets the rest of the frame that it is being sent, and then one that
  // closes the WebSocket. The upstream gets nothing more.
  void close(std::uint16_t code, std::string_view reason);

  std::uint64_t bytes_up() const { return up_; }
  std::uint64_t bytes_down() const { return down_; }

 private:
  class ends_both;

  task<> pass_down();
  task<> pass_up();
  task<error_code> write(std::string_view bytes);
  bool is_closing() const { return !closing_frame_.empty(); }

  downstream& client_;
  upstream_connection& upstream_;
  const config::timeout_settings& timeouts_;
  websocket_frames frames_;  // towards the client
  std::string closing_frame_;
  std::uint64_t up_ = 0, down_ = 0;
};

}  // namespace tollgate::proxy
