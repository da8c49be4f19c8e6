#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "deploy/sample_upstream/audio/bytes.hpp"
#include "deploy/sample_upstream/audio/encoder.hpp"

namespace tollgate::sample_upstream::audio {

namespace {

constexpr std::uint32_t bytes_per_sample = 2;
constexpr std::uint32_t pcm_frame_samples = sample_rate / 20;
constexpr std::uint32_t period = 60;  // samples: a tone of 400 Hz
static_assert(pcm_frame_samples % period == 0, "every frame begins where the tone does");

// One frame of a quiet tone: silence would be a run of zeros in this format.
std::string make_tone() {
  constexpr double amplitude = 300;  // of 32,767
  std::string out;
  for (std::uint32_t i = 0; i < pcm_frame_samples; ++i) {
    const auto angle = 2 * std::numbers::pi * (i % period) / period;
    const auto level = static_cast<std::int16_t>(std::lround(amplitude * std::sin(angle)));
    append_little_endian(out, static_cast<std::uint16_t>(level), bytes_per_sample);
  }
  return out;
}

// Signed 16 bits, little endian, without a header.
class pcm : public encoder {
 public:
  explicit pcm(std::uint64_t samples) : samples_{samples} {}

  std::uint64_t frames() const override { return divide_up(samples_, pcm_frame_samples); }
  void append_frame(std::uint64_t index, std::string& out) const override {
    static const std::string tone = make_tone();
    const auto samples =
        std::min<std::uint64_t>(pcm_frame_samples, samples_ - index * pcm_frame_samples);
    out.append(tone, 0, samples * bytes_per_sample);
  }

 private:
  std::uint64_t samples_;
};

class wav final : public pcm {
 public:
  using pcm::pcm;

  // Sizes of all ones: a live encoder does not know the length in advance, and OpenAI's does not
  // correct it afterwards.
  std::string header() const override {
    constexpr std::uint32_t unknown = 0xffff'ffff;
    std::string out = "RIFF";
    append_little_endian(out, unknown, 4);
    out += "WAVEfmt ";
    append_little_endian(out, 16, 4);  // size of this chunk
    append_little_endian(out, 1, 2);   // PCM
    append_little_endian(out, 1, 2);   // channels
    append_little_endian(out, sample_rate, 4);
    append_little_endian(out, sample_rate * bytes_per_sample, 4);
    append_little_endian(out, bytes_per_sample, 2);
    append_little_endian(out, 8 * bytes_per_sample, 2);
    out += "data";
    append_little_endian(out, unknown, 4);
    return out;
  }
};

}  // namespace

std::unique_ptr<encoder> encode_pcm(std::uint64_t samples) {
  return std::make_unique<pcm>(samples);
}

std::unique_ptr<encoder> encode_wav(std::uint64_t samples) {
  return std::make_unique<wav>(samples);
}

}  // namespace tollgate::sample_upstream::audio
