// Opus packets (RFC 6716, section 3).
#pragma once

#include <array>

#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

class opus_packets final : public packet_codec {
 public:
  // Opus counts at 48 kHz, whatever the sampling rate of the input (RFC 7845, section 4).
  static constexpr std::int64_t rate = 48'000;
  static constexpr duration of_samples(std::int64_t samples) {
    return duration::from_flicks(samples * (duration::flicks_per_second / rate));
  }

  std::string_view name() const override { return "opus"; }
  std::size_t head_bytes() const override { return 2; }
  duration begin(std::string_view head, std::uint64_t) override { return length(head); }
  duration longest() const override { return of_samples(most_samples); }

  // Zero for a packet that decoders refuse: empty, without frames, or longer than 120 ms. The
  // headers "OpusHead" and "OpusTags" are such packets.
  static constexpr duration length(std::string_view head) {
    if (head.empty()) return {};
    const auto toc = static_cast<std::uint8_t>(head[0]);
    std::int64_t frames = 1;
    if ((toc & 3) == 3) {
      frames = head.size() > 1 ? head[1] & 0x3F : 0;
    } else if ((toc & 3) != 0) {
      frames = 2;
    }
    const auto samples = frames * frame_samples[toc >> 3];
    return samples <= most_samples ? of_samples(samples) : duration{};
  }

 private:
  static constexpr std::int64_t most_samples = 5760;
  // By configuration (RFC 6716, table 2): SILK of 10 to 60 ms, hybrid of 10 and 20 ms, CELT of 2.5
  // to 20 ms.
  static constexpr std::array<std::int16_t, 32> frame_samples = {
      480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 480, 960,
      120, 240, 480,  960,  120, 240, 480,  960,  120, 240, 480,  960,  120, 240, 480, 960};
};

}  // namespace tollgate::routes::meters
