// Ogg pages (RFC 3533, section 6).
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "routes/meters/bytes.hpp"
#include "routes/meters/crc.hpp"

namespace tollgate::routes::meters {

// The capture pattern and the only stream structure version.
inline constexpr std::string_view ogg_capture{"OggS\0", 5};

// The position of a capture pattern in `bytes`, complete or possibly cut off at the end; otherwise
// the size of `bytes`.
inline std::size_t find_ogg_capture(std::string_view bytes) {
  for (std::size_t at = 0; (at = bytes.find(ogg_capture[0], at)) != bytes.npos; ++at)
    if (ogg_capture.starts_with(bytes.substr(at, ogg_capture.size()))) return at;
  return bytes.size();
}

// The header of a page, and a walk over its packets.
class ogg_page {
 public:
  static constexpr std::size_t fixed_bytes = 27;

  // The length of the header at the start of `bytes`, which must contain `fixed_bytes` of it.
  static std::size_t header_bytes(std::string_view bytes) {
    return fixed_bytes + byte_at(bytes, fixed_bytes - 1);
  }

  ogg_page() = default;
  // `bytes` must contain the whole header.
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
  // Empty if no packet ends on the page.
  std::optional<std::int64_t> granule() const {
    const auto granule = static_cast<std::int64_t>(granule_);
    return granule < 0 ? std::nullopt : std::optional{granule};
  }

  struct packet {
    std::size_t bytes;  // on this page
    bool ends;          // on this page
  };
  bool has_packet() const { return next_ < segments_; }
  // The number of packets that next_packet() may still return.
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

// Whether the checksum of a whole page is correct. It is computed with the checksum field set to
// zero.
inline bool has_right_crc(std::string_view page) {
  constexpr std::size_t at = 22;
  auto crc = ogg_crc(0, page.substr(0, at));
  crc = ogg_crc(crc, std::string_view{"\0\0\0\0", 4});
  return ogg_crc(crc, page.substr(at + 4)) == little_endian<std::uint32_t>(page, at);
}

}  // namespace tollgate::routes::meters
