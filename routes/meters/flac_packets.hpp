// FLAC packets in a container (RFC 9639, section 10).
#pragma once

#include "routes/meters/bytes.hpp"
#include "routes/meters/flac_frame.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

// A packet should contain one frame. Decoders play every frame in it, so the whole packet is
// searched.
class flac_packets final : public packet_codec {
 public:
  explicit flac_packets(const flac_format& stream) : rate_{stream.rate} { frames_.expect(stream); }

  std::string_view name() const override { return "flac"; }
  std::size_t head_bytes() const override { return 1; }
  duration begin(std::string_view head, std::uint64_t) override {
    // Metadata blocks come in packets of their own.
    is_audio_ = !head.empty() && byte_at(head, 0) == 0xFF;
    return {};
  }
  bool reads_bodies() const override { return is_audio_; }
  duration body(std::string_view piece) override {
    frames_.write(piece);
    return news();
  }
  duration finish() override {
    frames_.finish();
    return news();
  }
  duration longest() const override { return duration::of_samples(65'535, rate_); }

 private:
  duration news() {
    const auto before = reported_;
    reported_ = frames_.measured();
    return reported_ - before;
  }

  std::uint32_t rate_;
  flac_frames frames_;
  duration reported_;
  bool is_audio_ = false;
};

}  // namespace tollgate::routes::meters
