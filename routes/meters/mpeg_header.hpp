// The header of an MPEG audio frame: ISO/IEC 11172-3 2.4.1.3, ISO/IEC 13818-3 2.4.2.3, and the
// unofficial "MPEG 2.5" for the lowest sampling rates.
#pragma once

#include <array>
#include <cstdint>

#include "routes/meters/bytes.hpp"
#include "routes/meters/duration.hpp"

namespace tollgate::routes::meters {

class mpeg_header {
 public:
  static constexpr std::size_t size = 4;
  static constexpr unsigned enough_frames =
      7;  // after which ffmpeg is sure, at the start of the input
  static constexpr std::size_t longest_frame = 2881;  // layer II, 8 kHz, 160 kbit/s, padded

  constexpr mpeg_header() = default;
  explicit constexpr mpeg_header(std::uint32_t bits) : bits_{bits} {}
  explicit mpeg_header(const char* bytes)
      : bits_{static_cast<std::uint32_t>(big_endian({bytes, size}))} {}

  // With the header; 0 if this is not a header, and for free format, which neither ffmpeg nor
  // browsers play.
  std::size_t frame_bytes() const;
  duration length() const;

  constexpr bool mpeg1() const { return version() == 3; }
  constexpr unsigned layer() const { return 4 - (bits_ >> 17 & 3); }
  constexpr bool mono() const { return (bits_ >> 6 & 3) == 3; }
  constexpr std::uint32_t rate() const {
    constexpr std::uint32_t rates[]{44100, 48000, 32000, 0};
    return rates[bits_ >> 10 & 3] >> (version() == 3 ? 0 : version() == 2 ? 1 : 2);
  }
  constexpr std::uint32_t samples() const {
    return layer() == 1 ? 384 : layer() == 3 && !mpeg1() ? 576 : 1152;
  }

  // Same length(), and same frame_bytes() except for the padding: the mask has the bits that
  // determine them.
  constexpr bool is_like(mpeg_header other) const {
    constexpr std::uint32_t mask = 0xFFFEFC00;
    return (bits_ & mask) == (other.bits_ & mask);
  }
  constexpr bool is_padded() const { return (bits_ & padding) != 0; }
  constexpr mpeg_header padded_otherwise() const { return mpeg_header{bits_ ^ padding}; }

  // Same version, layer and sampling rate, which do not change within a stream.
  constexpr bool consistent_with(mpeg_header other) const {
    constexpr std::uint32_t mask = 0xFFFE0C00;
    return (bits_ & mask) == (other.bits_ & mask);
  }

 private:
  constexpr unsigned version() const { return bits_ >> 19 & 3; }  // 3: 1, 2: 2, 0: 2.5
  constexpr std::uint32_t bit_rate() const;

  struct frame {
    std::uint32_t flicks = 0, bytes = 0;
  };
  // Indexed by the bits that decide: version and layer (4), bit rate, sampling rate and padding
  // (7).
  static constexpr std::array<frame, 2048> make_frames();
  static const std::array<frame, 2048> frames;
  constexpr const frame& looked_up() const {
    return frames[(bits_ >> 17 & 15) << 7 | (bits_ >> 9 & 127)];
  }

  static constexpr std::uint32_t padding = 0x200;
  std::uint32_t bits_ = 0;
};

constexpr std::uint32_t mpeg_header::bit_rate() const {
  constexpr std::uint16_t kbit[5][16]{
      {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},  // 1, layer I
      {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},     // 1, layer II
      {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},      // 1, layer III
      {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},     // 2, layer I
      {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}};         // 2, the others
  const auto row = mpeg1() ? layer() - 1 : layer() == 1 ? 3 : 4;
  return kbit[row][bits_ >> 12 & 15] * 1000u;
}

constexpr std::array<mpeg_header::frame, 2048> mpeg_header::make_frames() {
  std::array<frame, 2048> out{};
  for (std::uint32_t i = 0; i < out.size(); ++i) {
    const mpeg_header h{(i >> 7) << 17 | (i & 127) << 9};
    if (h.version() == 1 || h.layer() == 4 || h.rate() == 0 || h.bit_rate() == 0) continue;
    const std::uint32_t slot = h.layer() == 1 ? 4 : 1, padding = i & 1;
    const auto slots = h.samples() / 8 * h.bit_rate() / h.rate() / slot;
    out[i].bytes = (slots + padding) * slot;
    out[i].flicks =
        static_cast<std::uint32_t>(duration::of_samples(h.samples(), h.rate()).flicks());
  }
  return out;
}

inline constexpr std::array<mpeg_header::frame, 2048> mpeg_header::frames = make_frames();

inline std::size_t mpeg_header::frame_bytes() const {
  return bits_ >> 21 == 0x7FF ? looked_up().bytes : 0;
}
inline duration mpeg_header::length() const {
  return duration::from_flicks(looked_up().flicks);
}

}  // namespace tollgate::routes::meters
