// Codecs whose packets tell their length by their size, or by nothing more than being one.
#pragma once

#include <algorithm>
#include <string_view>

#include "routes/meters/mp4/audio_specific_config.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// Raw AAC, an access unit a packet. Decoders go on to the next unit where there is one in the same
// packet; where a unit ends cannot be seen without decoding, only that it is not longer than 6144
// bits for each channel (ISO/IEC 14496-3, section 4.5.3.1).
class aac_packets final : public packet_codec {
 public:
  explicit aac_packets(const mp4::aac_config& config)
      : unit_{duration::of_samples(config.frame_samples, config.rate)},
        most_bytes_{std::uint64_t{768} * std::max(config.channels, 1U)} {}

  std::string_view name() const override { return "aac"; }
  std::size_t head_bytes() const override { return 0; }
  duration begin(std::string_view, std::uint64_t size) override {
    const auto units = (size + most_bytes_ - 1) / most_bytes_;
    return units <= 1 ? (size == 0 ? duration{} : unit_)
                      : duration::of_samples(units * static_cast<std::uint64_t>(unit_.flicks()),
                                             duration::flicks_per_second);
  }
  duration longest() const override { return unit_; }

 private:
  duration unit_;
  std::uint64_t most_bytes_;
};

class pcm_packets final : public packet_codec {
 public:
  pcm_packets(std::uint32_t rate, std::uint64_t bytes_per_sample)
      : rate_{rate}, bytes_per_sample_{std::max<std::uint64_t>(bytes_per_sample, 1)} {}

  std::string_view name() const override { return "pcm"; }
  std::size_t head_bytes() const override { return 0; }
  duration begin(std::string_view, std::uint64_t size) override {
    return duration::of_samples(size / bytes_per_sample_, rate_);
  }
  duration longest() const override { return duration::from_seconds(1); }

 private:
  std::uint32_t rate_;
  std::uint64_t bytes_per_sample_;
};

}  // namespace tollgate::routes::meters
