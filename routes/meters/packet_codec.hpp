// Codecs with packets that a container delimits (Ogg, Matroska). They only tell how long a packet
// plays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "routes/meters/duration.hpp"

namespace tollgate::routes::meters {

// One stream of packets, in order. The codec receives the first bytes of each packet, or all of
// them if it asks. It returns what a decoder would play, whatever containers and headers claim.
class packet_codec {
 public:
  virtual ~packet_codec() = default;
  packet_codec() = default;
  packet_codec(const packet_codec&) = delete;
  packet_codec& operator=(const packet_codec&) = delete;

  virtual std::string_view name() const = 0;

  // How many bytes begin() examines: at most 16.
  virtual std::size_t head_bytes() const = 0;
  // A packet of `size` bytes begins; `head` has its first min(head_bytes(), size) bytes. If an Ogg
  // packet continues on another page, its size is unknown: `size` is then the part on this page.
  virtual duration begin(std::string_view head, std::uint64_t size) = 0;

  // Whether body() must be called with all bytes of each packet (the head included), in any slices.
  virtual bool reads_bodies() const { return false; }
  virtual duration body(std::string_view) { return {}; }
  // No more packets follow.
  virtual duration finish() { return {}; }

  // A packet contained something that no ordinary encoder writes and that cannot be counted.
  virtual bool is_unclear() const { return false; }

  // The maximum duration of one packet: for packets that could not be read.
  virtual duration longest() const = 0;
};

}  // namespace tollgate::routes::meters
