// Generates decodable audio, nearly silent, of any length, in each format of OpenAI's speech
// endpoint. Every frame depends on its index only, so a stream of hours takes no more memory than
// one of a second.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tollgate::sample_upstream::audio {

// Mono at 24 kHz, like OpenAI's voices. Lengths are counted in samples of this rate.
inline constexpr std::uint32_t sample_rate = 24'000;

class encoder {
 public:
  virtual ~encoder() = default;

  // The bytes before the first frame; empty for formats without a header.
  virtual std::string header() const { return {}; }
  // Formats with whole frames have the requested length, plus less than one frame.
  virtual std::uint64_t frames() const = 0;
  virtual void append_frame(std::uint64_t index, std::string& out) const = 0;
};

struct format {
  std::string_view name;  // as in `response_format`
  std::string_view content_type;
  std::unique_ptr<encoder> (*encode)(std::uint64_t samples);
};
// Null for a name that OpenAI does not support either.
const format* find_format(std::string_view name);

// Each in a file of its own.
std::unique_ptr<encoder> encode_mp3(std::uint64_t samples);
std::unique_ptr<encoder> encode_opus(std::uint64_t samples);
std::unique_ptr<encoder> encode_aac(std::uint64_t samples);
std::unique_ptr<encoder> encode_flac(std::uint64_t samples);
std::unique_ptr<encoder> encode_wav(std::uint64_t samples);  // pcm.cpp
std::unique_ptr<encoder> encode_pcm(std::uint64_t samples);

}  // namespace tollgate::sample_upstream::audio
