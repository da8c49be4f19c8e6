// The codecs whose packets a container delimits (Ogg, Matroska), reduced to one question: how long
// does a packet play?
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "routes/meters/duration.hpp"

namespace tollgate::routes::meters {

// One stream of packets, shown in their order. Each is shown by its first bytes, and if the codec
// asks for it by all of them. What a codec answers is what a decoder would play of the packets, in
// whatever order containers and headers make claims about that.
class packet_codec {
 public:
  virtual ~packet_codec() = default;
  packet_codec() = default;
  packet_codec(const packet_codec&) = delete;
  packet_codec& operator=(const packet_codec&) = delete;

  virtual std::string_view name() const = 0;

  // How many bytes begin() looks at: at most 16.
  virtual std::size_t head_bytes() const = 0;
  // A packet of `size` bytes begins; `head` are the first of them, min(head_bytes(), size). Ogg
  // does not know the size of a packet that goes on beyond its page: it says what is on this one.
  virtual duration begin(std::string_view head, std::uint64_t size) = 0;

  // Whether body() is to be called, with all bytes of each packet (also the head), in any slices.
  virtual bool reads_bodies() const { return false; }
  virtual duration body(std::string_view) { return {}; }
  // There are no more packets.
  virtual duration finish() { return {}; }

  // A packet held what no ordinary encoder writes, and what cannot be counted for that reason.
  virtual bool is_unclear() const { return false; }

  // The most that one packet can play: for packets that could not be looked at.
  virtual duration longest() const = 0;
};

}  // namespace tollgate::routes::meters
