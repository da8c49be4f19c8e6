#include "routes/estimate.hpp"

#include <algorithm>
#include <charconv>

namespace tollgate::routes {

namespace {

// Code points: the UTF-8 bytes that are not continuation bytes.
std::int64_t characters_of(const std::string& text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

quota::usage estimate(const quota::rate& rate, const audio_settings& audio, const reading& told) {
  switch (rate.per) {
    case quota::unit::request:
      return {1};
    case quota::unit::query:
      return {std::max<std::int64_t>(1, static_cast<std::int64_t>(told.elements))};
    case quota::unit::minute:
      break;
  }
  if (rate.meter == quota::meter_kind::request_audio) return {1};
  const auto& how = audio.estimate;
  const auto spoken_us = characters_of(told.text) * 1'000'000 / how.per_second;
  return {std::clamp(spoken_us, how.at_least_us, how.at_most_us)};
}

std::optional<std::int64_t> times_of(const reading& said) {
  if (said.is == reading::state::absent || said.null) return 1;
  std::int64_t times = 0;
  const auto* end = said.text.data() + said.text.size();
  const auto [stop, failed] = std::from_chars(said.text.data(), end, times);
  const bool whole = said.is_number && failed == std::errc{} && stop == end;
  if (!whole || times < 1 || times > most_times) return {};
  return times;
}

}  // namespace tollgate::routes
