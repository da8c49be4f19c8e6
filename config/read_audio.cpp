// A route's settings for rates that count seconds of audio.
#include "config/sections.hpp"

namespace tollgate::config {
namespace {

using namespace std::chrono_literals;
using routes::audio_settings;

auto microseconds_between(std::chrono::microseconds low, std::chrono::microseconds high) {
  return [=](context& in, const node& from) -> std::optional<std::int64_t> {
    const auto value = read_duration(in, from, low, high, 1us);
    if (!value) return {};
    return value->count();
  };
}

std::optional<routes::meters::pcm_format> read_pcm(context& in, const node& from) {
  routes::meters::pcm_format out;
  std::uint32_t bits = 0;
  map_reader map{in, from};
  map.required("rate", out.rate, whole_between<std::uint32_t>(1, 768'000));
  map.required("channels", out.channels, whole_between<std::uint32_t>(1, 64));
  if (map.required("bits", bits, whole_between<std::uint32_t>(8, 64)) && bits % 8 != 0) {
    in.fail(*map.find("bits"), "bits must be whole bytes: 8, 16, 24, 32 or 64");
  }
  map.finish();
  out.bytes_per_sample = bits / 8;
  return out;
}

std::optional<routes::audio_estimate> read_estimate(context& in, const node& from) {
  routes::audio_estimate out;
  map_reader map{in, from};
  map.optional("characters", out.characters, read_text);
  map.optional("per_second", out.per_second, whole_between<std::int64_t>(1, 1'000));
  map.optional("at_least", out.at_least_us, microseconds_between(1ms, 24h));
  map.optional("at_most", out.at_most_us, microseconds_between(1ms, 24h));
  map.finish();
  return out;
}

}  // namespace

std::optional<audio_settings> read_audio(context& in, const node& from) {
  static const choice<routes::when_exhausted> exhausted{
      {{"finish", routes::when_exhausted::finish}, {"cut", routes::when_exhausted::cut}}};
  static const choice<routes::when_unmeasurable> unmeasurable{
      {{"refuse", routes::when_unmeasurable::refuse},
       {"estimate", routes::when_unmeasurable::estimate}}};
  audio_settings out;
  map_reader map{in, from};
  map.optional("part", out.part, read_text);
  map.optional("json", out.json, read_text);
  map.optional("event", out.event, read_text);
  map.optional("event_json", out.event_json, read_text);
  map.optional("pcm", out.pcm, read_pcm);
  map.optional("estimate", out.estimate, read_estimate);
  map.optional("on_exhausted", out.on_exhausted, exhausted);
  map.optional("on_unmeasurable", out.on_unmeasurable, unmeasurable);
  map.optional("bit_rate", out.bit_rate, whole_between<std::int64_t>(1'000, 100'000'000));
  map.optional("hold_step", out.hold_step_us, microseconds_between(1s, 24h));
  map.finish();
  return out;
}

}  // namespace tollgate::config
