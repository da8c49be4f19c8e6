// Audio that decodes: next to silent, of any length, in each format that OpenAI's speech endpoint
// offers. Every frame is made from its index alone, so that a stream of hours takes no more memory
// than one of a second.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tollgate::sample_upstream::audio {

// Mono at 24 kHz, as OpenAI's voices are. Lengths are counted in such samples.
inline constexpr std::uint32_t sample_rate = 24'000;

class encoder {
 public:
  virtual ~encoder() = default;

  // What stands before the first frame; empty where a format has no such thing.
  virtual std::string header() const { return {}; }
  // Formats of whole frames hold the length asked for and less than a frame more.
  virtual std::uint64_t frames() const = 0;
  virtual void append_frame(std::uint64_t index, std::string& out) const = 0;
};

struct format {
  std::string_view name;  // as in `response_format`
  std::string_view content_type;
  std::unique_ptr<encoder> (*encode)(std::uint64_t samples);
};
// Null for a name that OpenAI does not know either.
const format* find_format(std::string_view name);

// One file each.
std::unique_ptr<encoder> encode_mp3(std::uint64_t samples);
std::unique_ptr<encoder> encode_opus(std::uint64_t samples);
std::unique_ptr<encoder> encode_aac(std::uint64_t samples);
std::unique_ptr<encoder> encode_flac(std::uint64_t samples);
std::unique_ptr<encoder> encode_wav(std::uint64_t samples);  // pcm.cpp
std::unique_ptr<encoder> encode_pcm(std::uint64_t samples);

}  // namespace tollgate::sample_upstream::audio
