#include "routes/meters/mp4/sample_codecs.hpp"

#include <algorithm>

#include "routes/meters/mpeg_header.hpp"

namespace tollgate::routes::meters::mp4 {

void layer_header::read(std::string_view head) {
  const mpeg_header found{head.data()};
  bytes_ = found.frame_bytes();
  length_ = bytes_ == 0 ? duration{} : found.length();
}

void ac3_header::read(std::string_view head) {
  bytes_ = 0;
  length_ = {};
  if (byte_at(head, 0) != 0x0B || byte_at(head, 1) != 0x77) return;
  const unsigned version = byte_at(head, 5) >> 3;
  if (version > 10) return read_enhanced(head);
  constexpr std::array<std::uint32_t, 3> rates{48000, 44100, 32000};
  constexpr std::array<std::uint32_t, 19> kbit{32,  40,  48,  56,  64,  80,  96,  112, 128, 160,
                                               192, 224, 256, 320, 384, 448, 512, 576, 640};
  const unsigned rate_code = byte_at(head, 4) >> 6, size_code = byte_at(head, 4) & 63;
  if (rate_code == 3 || size_code >= 2 * kbit.size()) return;
  const auto rate = rates[rate_code];
  const std::uint64_t bits = std::uint64_t{kbit[size_code / 2]} * 1000 * 1536 / rate;
  bytes_ = static_cast<std::size_t>(bits / 16 + (rate == 44100 ? size_code % 2 : 0)) * 2;
  const unsigned halved = std::max(version, 8U) - 8;
  length_ = duration::of_samples(1536, rate >> halved);
}

void ac3_header::read_enhanced(std::string_view head) {
  constexpr std::array<std::uint32_t, 3> rates{48000, 44100, 32000};
  constexpr std::array<unsigned, 4> blocks_of{1, 2, 3, 6};
  const unsigned version = byte_at(head, 5) >> 3, kind = byte_at(head, 2) >> 6;
  if (version > 16 || kind == 3) return;
  const unsigned rate_code = byte_at(head, 4) >> 6, code = byte_at(head, 4) >> 4 & 3;
  if (rate_code == 3 && code == 3) return;
  const auto rate = rate_code == 3 ? rates[code] / 2 : rates[rate_code];
  const auto blocks = rate_code == 3 ? 6 : blocks_of[code];
  bytes_ = (std::size_t{byte_at(head, 2) & 7U} << 8 | byte_at(head, 3)) * 2 + 2;
  // A dependent substream adds channels to the previous one, and no time.
  constexpr unsigned dependent = 1;
  if (kind != dependent) length_ = duration::of_samples(std::uint64_t{blocks} * 256, rate);
}

// Element type (3 bits), its number (4), 12 unused bits, a flag that says whether a number of
// samples follows, three other bits, and that number.
duration alac_packets::begin(std::string_view head, std::uint64_t) {
  const auto first = big_endian(head.substr(0, std::min<std::size_t>(head.size(), 7)));
  const auto samples = static_cast<std::uint32_t>(first >> 1);
  const bool is_said = head.size() == 7 && (byte_at(head, 2) & 0x10) != 0;
  return duration::of_samples(is_said ? std::min(samples, frame_samples_) : frame_samples_, rate_);
}

}  // namespace tollgate::routes::meters::mp4
