// Codecs with packets whose duration is fixed or follows from their size.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "routes/meters/aac/raw_data_block.hpp"
#include "routes/meters/mp4/audio_specific_config.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// Raw AAC, one access unit per packet. All encoders write one block of 1024 samples (or 960).
// Decoders play every block in the packet, so all are counted.
class aac_packets final : public packet_codec {
 public:
  // Whether blocks with this configuration can be counted.
  static bool follows(const mp4::aac_config& config) {
    return config.profile && aac::rate_index_of(config.rate);
  }
  // Requires follows(config).
  explicit aac_packets(const mp4::aac_config& config)
      : unit_{duration::of_samples(config.frame_samples, config.rate)},
        format_{*aac::rate_index_of(config.rate), config.frame_samples == 960, *config.profile} {}

  std::string_view name() const override { return "aac"; }
  std::size_t head_bytes() const override { return 0; }
  duration begin(std::string_view, std::uint64_t size) override {
    const auto before = end_unit();
    if (size == 0) return before;
    left_ = size;
    is_unclear_ = is_unclear_ || size > most_looked_at;
    return before + unit_;
  }
  bool reads_bodies() const override { return !is_unclear_; }
  duration body(std::string_view piece) override {
    if (is_unclear_) return {};
    unit_bytes_ += piece;
    left_ -= std::min<std::uint64_t>(left_, piece.size());
    return left_ == 0 ? end_unit() : duration{};
  }
  duration finish() override { return end_unit(); }
  bool is_unclear() const override { return is_unclear_; }
  duration longest() const override { return unit_; }

 private:
  static constexpr std::uint64_t most_looked_at = 65'536;

  // The blocks in the packet after the first, which was counted at its start.
  duration end_unit() {
    if (unit_bytes_.empty()) return {};
    const auto size = unit_bytes_.size();
    unit_bytes_.append(aac::padding, '\0');
    const auto found = aac::count_blocks(std::string_view{unit_bytes_}.substr(0, size), format_);
    unit_bytes_.clear();
    is_unclear_ = is_unclear_ || found.unusual;
    return duration::times(unit_, std::max<std::size_t>(found.blocks, 1) - 1);
  }

  duration unit_;
  std::uint64_t left_ = 0;
  aac::format format_;
  std::string unit_bytes_;
  bool is_unclear_ = false;
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
