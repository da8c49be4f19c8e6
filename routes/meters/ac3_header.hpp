// The header of an AC-3 or E-AC-3 frame (ETSI TS 102 366, 4.4.1 and E.1.3).
#pragma once

#include <cstdint>
#include <string_view>

#include "routes/meters/bytes.hpp"
#include "routes/meters/duration.hpp"

namespace tollgate::routes::meters {

class ac3_header {
 public:
  static constexpr std::size_t size = 6;  // only these bytes are read

  ac3_header() = default;
  // Also accepts frames with swapped byte pairs: decoders play those too.
  explicit ac3_header(std::string_view bytes) {
    if (bytes.size() < size) return;
    if (byte_at(bytes, 0) == 0x0B && byte_at(bytes, 1) == 0x77)
      read(big_endian(bytes.substr(0, size)));
    if (byte_at(bytes, 0) == 0x77 && byte_at(bytes, 1) == 0x0B) read(swapped(bytes));
  }

  // Includes the header; 0 if this is not a header.
  std::size_t frame_bytes() const { return frame_bytes_; }
  // Zero for a frame that adds channels to the previous one.
  duration length() const { return duration::of_samples(samples_, rate_); }

 private:
  static std::uint64_t swapped(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t at = 0; at < size; at += 2)
      value = value << 16 | std::uint64_t{byte_at(bytes, at + 1)} << 8 | byte_at(bytes, at);
    return value;
  }

  void read(std::uint64_t bits) {
    const auto bsid = bits >> 3 & 31;
    if (bsid <= 10) read_basic(bits, static_cast<unsigned>(bsid));
    if (bsid > 10 && bsid <= 16) read_enhanced(bits);
  }

  // Sync word, 16-bit CRC, rate (2), frame size (6), version (5). A frame is 6 blocks of 256
  // samples.
  void read_basic(std::uint64_t bits, unsigned bsid) {
    constexpr std::uint16_t kbit[19]{32,  40,  48,  56,  64,  80,  96,  112, 128, 160,
                                     192, 224, 256, 320, 384, 448, 512, 576, 640};
    constexpr std::uint32_t rates[3]{48000, 44100, 32000};
    const auto rate_code = bits >> 14 & 3, size_code = bits >> 8 & 63;
    if (rate_code == 3 || size_code >= 38) return;
    const auto bytes_at_48 = kbit[size_code / 2] * 4U;
    const std::uint32_t words = rate_code == 0   ? bytes_at_48 / 2
                                : rate_code == 2 ? bytes_at_48 * 3 / 4
                                                 : bytes_at_48 * 480 / 441 / 2 + size_code % 2;
    frame_bytes_ = words * 2;
    rate_ = rates[rate_code] >> (bsid > 8 ? bsid - 8 : 0);
    samples_ = 1536;
  }

  // Sync word, type (2), substream (3), size in words minus one (11), rate (2), then number of
  // blocks or, for half rates, rate (2).
  void read_enhanced(std::uint64_t bits) {
    constexpr std::uint32_t rates[3]{48000, 44100, 32000};
    constexpr std::uint32_t blocks[4]{1, 2, 3, 6};
    const auto type = bits >> 30 & 3, rate_code = bits >> 14 & 3, more = bits >> 12 & 3;
    if (type == 3 || (rate_code == 3 && more == 3)) return;
    const auto bytes = ((bits >> 16 & 0x7FF) + 1) * 2;
    if (bytes < size + 1) return;
    frame_bytes_ = static_cast<std::size_t>(bytes);
    rate_ = rate_code == 3 ? rates[more] / 2 : rates[rate_code];
    constexpr std::uint64_t dependent = 1;
    samples_ = type == dependent ? 0 : 256 * (rate_code == 3 ? 6 : blocks[more]);
  }

  std::size_t frame_bytes_ = 0;
  std::uint32_t rate_ = 0, samples_ = 0;
};

}  // namespace tollgate::routes::meters
