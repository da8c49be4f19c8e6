// Follows the frames of a WebSocket in one direction (RFC 6455 section 5.2) to know where one ends,
// so that a frame of our own can be put between two of them. It keeps no bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::proxy {

class websocket_frames {
 public:
  // How many of these bytes belong to the current frame; all of them, if it goes on behind them.
  // Nothing, between two frames.
  std::size_t rest_of_frame(std::string_view bytes) const;
  void pass(std::string_view bytes);
  bool is_between_frames() const { return header_ == 0 && payload_ == 0; }

 private:
  std::size_t pass_some(std::string_view bytes);

  std::size_t header_ = 0;        // bytes of the header that have passed; 0: none, or all of them
  std::size_t header_size_ = 2;   // as far as the bytes so far tell
  std::size_t extended_end_ = 2;  // where the length ends, which may take 2 or 8 bytes more
  std::uint64_t length_ = 0;      // of the payload, as far as the header has been read
  std::uint64_t payload_ = 0;     // bytes of the payload that are still to come
};

// A frame that closes the connection, as a server sends it. `reason` has at most 123 bytes.
std::string close_frame(std::uint16_t code, std::string_view reason);

}  // namespace tollgate::proxy
