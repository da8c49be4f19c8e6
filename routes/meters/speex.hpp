// Speex packets (https://www.speex.org/docs/manual/speex-manual/node8.html): all of one length.
#pragma once

#include <memory>

#include "routes/meters/bytes.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

class speex_packets final : public packet_codec {
 public:
  static constexpr std::size_t header_bytes = 80;

  // The header packet says how many frames each packet has. How long a frame is, is a matter of the
  // mode: decoders do not believe the header's `frame_size`.
  static std::unique_ptr<speex_packets> open(std::string_view header) {
    if (header.size() < header_bytes || !header.starts_with("Speex   ")) return nullptr;
    const auto rate = little_endian<std::uint32_t>(header, 36);
    const auto mode = little_endian<std::uint32_t>(header, 40);
    const auto frames = little_endian<std::uint32_t>(header, 64);
    const auto extra_headers = little_endian<std::uint32_t>(header, 68);
    if (rate == 0 || mode > 2 || extra_headers > most_extra_headers) return nullptr;
    const auto samples = std::uint64_t{160} << mode;
    return std::unique_ptr<speex_packets>{
        new speex_packets{rate, samples * (frames == 0 ? 1 : frames), 2 + extra_headers}};
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
  // A number beyond reason would make all of the audio headers. libspeex writes none at all.
  static constexpr std::uint32_t most_extra_headers = 16;

  speex_packets(std::uint32_t rate, std::uint64_t samples, std::uint32_t headers)
      : rate_{rate}, packet_{duration::of_samples(samples, rate)}, headers_left_{headers} {}

  std::uint32_t rate_;
  duration packet_;
  // The header itself, the comments, and what else the header announces.
  std::uint32_t headers_left_;
};

}  // namespace tollgate::routes::meters
