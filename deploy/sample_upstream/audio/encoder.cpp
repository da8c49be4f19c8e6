#include "deploy/sample_upstream/audio/encoder.hpp"

namespace tollgate::sample_upstream::audio {

namespace {

constexpr format formats[] = {
    {"mp3", "audio/mpeg", encode_mp3}, {"opus", "audio/opus", encode_opus},
    {"aac", "audio/aac", encode_aac},  {"flac", "audio/flac", encode_flac},
    {"wav", "audio/wav", encode_wav},  {"pcm", "audio/pcm", encode_pcm},
};

}  // namespace

const format* find_format(std::string_view name) {
  for (const auto& known : formats) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

}  // namespace tollgate::sample_upstream::audio
