// Apple Lossless packets in a container.
#pragma once

#include <algorithm>
#include <memory>

#include "routes/meters/bytes.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// A packet is one frame, whatever its size. Decoders take the frame length from the decoder
// configuration. A shorter last frame states its own length.
class alac_packets final : public packet_codec {
 public:
  static constexpr std::size_t config_bytes = 24;

  // Takes the decoder configuration (ALACSpecificConfig); null if it is invalid.
  static std::unique_ptr<alac_packets> open(std::string_view config) {
    if (config.size() < config_bytes) return nullptr;
    const auto samples = static_cast<std::uint32_t>(big_endian(config.substr(0, 4)));
    const auto rate = static_cast<std::uint32_t>(big_endian(config.substr(20, 4)));
    // Decoders refuse frames with more samples.
    if (samples == 0 || samples > most_samples || rate == 0) return nullptr;
    return std::unique_ptr<alac_packets>{new alac_packets{samples, rate}};
  }

  std::string_view name() const override { return "alac"; }
  std::size_t head_bytes() const override { return 7; }
  // Element type (3 bits), its number (4), 12 unused bits, a flag that says whether a 32-bit number
  // of samples follows, and three other bits.
  duration begin(std::string_view head, std::uint64_t) override {
    if (head.size() < head_bytes()) return longest();
    const auto bits = big_endian(head);
    const bool says_samples = (bits >> 36 & 1) != 0;
    const auto said = static_cast<std::uint32_t>(bits >> 1);
    return duration::of_samples(says_samples ? std::min(said, samples_) : samples_, rate_);
  }
  duration longest() const override { return duration::of_samples(samples_, rate_); }

 private:
  static constexpr std::uint32_t most_samples = 4096 * 4096;

  alac_packets(std::uint32_t samples, std::uint32_t rate) : samples_{samples}, rate_{rate} {}

  std::uint32_t samples_, rate_;
};

}  // namespace tollgate::routes::meters
