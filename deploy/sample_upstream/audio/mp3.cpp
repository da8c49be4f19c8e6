#include "deploy/sample_upstream/audio/bytes.hpp"
#include "deploy/sample_upstream/audio/encoder.hpp"

namespace tollgate::sample_upstream::audio {

namespace {

// MPEG-2 layer III (ISO/IEC 13818-3, which has the sampling rates up to 24 kHz): 576 samples per
// frame.
constexpr std::uint32_t mp3_frame_samples = 576, bits_per_second = 160'000;
constexpr std::uint32_t frame_size = mp3_frame_samples / 8 * bits_per_second / sample_rate;

// Sync word, MPEG-2, layer III, no checksum | 160 kbit/s, 24 kHz, no padding | mono | original.
constexpr std::uint32_t frame_header = 0xfff3'e4c4;

class mp3 final : public encoder {
 public:
  explicit mp3(std::uint64_t samples) : frames_{divide_up(samples, mp3_frame_samples)} {}

  std::uint64_t frames() const override { return frames_; }
  // Zero side information is silence: no bits of main data, so only padding follows.
  void append_frame(std::uint64_t, std::string& out) const override {
    append_big_endian(out, frame_header, 4);
    out.append(frame_size - 4, '\0');
  }

 private:
  std::uint64_t frames_;
};

}  // namespace

std::unique_ptr<encoder> encode_mp3(std::uint64_t samples) {
  return std::make_unique<mp3>(samples);
}

}  // namespace tollgate::sample_upstream::audio
