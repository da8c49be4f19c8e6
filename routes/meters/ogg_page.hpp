// Ogg pages (RFC 3533, section 6).
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "routes/meters/bytes.hpp"
#include "routes/meters/crc.hpp"

namespace tollgate::routes::meters {

// The capture pattern with the only version there is.
inline constexpr std::string_view ogg_capture{"OggS\0", 5};

// Where a capture pattern begins in `bytes`, or may begin if more of them came; else their end.
inline std::size_t find_ogg_capture(std::string_view bytes) {
  for (std::size_t at = 0; (at = bytes.find(ogg_capture[0], at)) != bytes.npos; ++at)
    if (ogg_capture.starts_with(bytes.substr(at, ogg_capture.size()))) return at;
  return bytes.size();
}

// The header of a page, and a walk over its packets.
class ogg_page {
 public:
  static constexpr std::size_t fixed_bytes = 27;

  // How long the header is that `bytes` begin with; `fixed_bytes` of it must be there.
  static std::size_t header_bytes(std::string_view bytes) {
    return fixed_bytes + byte_at(bytes, fixed_bytes - 1);
  }

  ogg_page() = default;
  // The header must be there whole.
  explicit ogg_page(std::string_view bytes)
      : flags_{byte_at(bytes, 5)},
        granule_{little_endian<std::uint64_t>(bytes, 6)},
        serial_{little_endian<std::uint32_t>(bytes, 14)},
        segments_{byte_at(bytes, fixed_bytes - 1)} {
    for (std::size_t i = 0; i < segments_; ++i) {
      lacing_[i] = byte_at(bytes, fixed_bytes + i);
      body_bytes_ += lacing_[i];
    }
  }

  bool continues_packet() const { return (flags_ & 1) != 0; }
  bool begins_stream() const { return (flags_ & 2) != 0; }
  bool ends_stream() const { return (flags_ & 4) != 0; }
  std::uint32_t serial() const { return serial_; }
  std::size_t body_bytes() const { return body_bytes_; }
  // Missing where no packet ends on the page.
  std::optional<std::int64_t> granule() const {
    const auto granule = static_cast<std::int64_t>(granule_);
    return granule < 0 ? std::nullopt : std::optional{granule};
  }

  struct packet {
    std::size_t bytes;  // on this page
    bool ends;          // on this page
  };
  bool has_packet() const { return next_ < segments_; }
  // How many next_packet() may still return.
  std::size_t most_packets_left() const { return segments_ - next_; }
  // A lacing value below 255 ends a packet.
  packet next_packet() {
    packet found{0, false};
    while (next_ < segments_ && !found.ends) {
      found.ends = lacing_[next_] < 255;
      found.bytes += lacing_[next_++];
    }
    return found;
  }

 private:
  std::uint8_t flags_ = 0;
  std::uint64_t granule_ = 0;
  std::uint32_t serial_ = 0;
  std::size_t segments_ = 0, next_ = 0, body_bytes_ = 0;
  std::array<std::uint8_t, 255> lacing_;
};

// Whether the checksum of a whole page is right: it is computed as if it were zero itself.
inline bool has_right_crc(std::string_view page) {
  constexpr std::size_t at = 22;
  auto crc = ogg_crc(0, page.substr(0, at));
  crc = ogg_crc(crc, std::string_view{"\0\0\0\0", 4});
  return ogg_crc(crc, page.substr(at + 4)) == little_endian<std::uint32_t>(page, at);
}

}  // namespace tollgate::routes::meters
