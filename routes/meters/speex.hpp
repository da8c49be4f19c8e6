// Speex packets (https://www.speex.org/docs/manual/speex-manual/node8.html). All have the same
// duration.
#pragma once

#include <memory>

#include "routes/meters/bytes.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

class speex_packets final : public packet_codec {
 public:
  static constexpr std::size_t header_bytes = 80;

  // The header packet states the number of frames per packet and, twice, the length of a frame: by
  // the mode and in samples. Decoders use one or the other, so both must agree. Some decoders play
  // additional headers as audio; libspeex does not write any.
  static std::unique_ptr<speex_packets> open(std::string_view header) {
    if (header.size() < header_bytes || !header.starts_with("Speex   ")) return nullptr;
    const auto rate = little_endian<std::uint32_t>(header, 36);
    const auto mode = little_endian<std::uint32_t>(header, 40);
    const auto frame_samples = little_endian<std::uint32_t>(header, 56);
    const auto frames = little_endian<std::uint32_t>(header, 64);
    const auto extra_headers = little_endian<std::uint32_t>(header, 68);
    if (rate == 0 || mode > 2 || extra_headers > 0) return nullptr;
    const auto samples = std::uint64_t{160} << mode;
    if (frame_samples != samples) return nullptr;
    return std::unique_ptr<speex_packets>{
        new speex_packets{rate, samples * (frames == 0 ? 1 : frames)}};
  }

  std::uint32_t rate() const { return rate_; }

  std::string_view name() const override { return "speex"; }
  std::size_t head_bytes() const override { return 0; }
  duration begin(std::string_view, std::uint64_t) override {
    if (headers_left_ == 0) return packet_;
    --headers_left_;
    return {};
  }
  duration longest() const override { return packet_; }

 private:
  speex_packets(std::uint32_t rate, std::uint64_t samples)
      : rate_{rate}, packet_{duration::of_samples(samples, rate)} {}

  std::uint32_t rate_;
  duration packet_;
  unsigned headers_left_ = 2;  // the header itself and the comments
};

}  // namespace tollgate::routes::meters
