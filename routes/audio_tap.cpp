#include "routes/audio_tap.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "quota/ledger/operation.hpp"
#include "routes/meters/sniff.hpp"
#include "routes/readers/content_decoder.hpp"
#include "routes/readers/event_stream.hpp"
#include "routes/readers/json_base64.hpp"
#include "routes/readers/multipart.hpp"
#include "routes/readers/parameters.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {

namespace {

using meters::pcm_format;
using readers::fault;

std::string_view media_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return type;
}

std::uint32_t number(const std::string* text, std::uint32_t otherwise) {
  std::uint32_t value = 0;
  if (text == nullptr) return otherwise;
  const auto end = text->data() + text->size();
  const auto [stop, failed] = std::from_chars(text->data(), end, value);
  return failed == std::errc{} && stop == end && value > 0 ? value : otherwise;
}

// audio/L16;rate=24000;channels=2 (RFC 2586, RFC 3190), audio/pcm with the same parameters, and
// audio/basic (RFC 2046 section 4.3). Without a rate the type says nothing.
std::optional<pcm_format> format_in(std::string_view content_type) {
  const auto type = media_type(content_type);
  if (equal_ignoring_case(type, "audio/basic")) return pcm_format{8'000, 1, 1};
  std::uint32_t bytes = 0;
  if (equal_ignoring_case(type, "audio/l8")) bytes = 1;
  if (equal_ignoring_case(type, "audio/l16") || equal_ignoring_case(type, "audio/pcm")) bytes = 2;
  if (equal_ignoring_case(type, "audio/l24")) bytes = 3;
  const auto parameters = bytes > 0 ? readers::read_parameters(content_type) : std::nullopt;
  const auto rate = parameters ? number(parameters->only("rate"), 0) : 0;
  const auto channels = parameters ? number(parameters->only("channels"), 1) : 0;
  constexpr std::uint32_t most_rate = 768'000, most_channels = 64;  // as in the configuration
  if (rate == 0 || rate > most_rate || channels > most_channels) return std::nullopt;
  return pcm_format{rate, channels, bytes};
}

std::optional<pcm_format> raw_format(const audio_settings& settings,
                                     const audio_tap::body_facts& facts) {
  constexpr pcm_format openai{24'000, 1, 2};
  // A caller could claim a rate that its upstream does not go by.
  if (facts.is_upload && settings.pcm) return settings.pcm;
  if (const auto said = format_in(facts.content_type)) return said;
  if (settings.pcm) return settings.pcm;
  return facts.wants_raw_pcm ? std::optional{openai} : std::nullopt;
}

std::unique_ptr<meters::meter> make_meter(const audio_settings& settings,
                                          const audio_tap::body_facts& facts) {
  meters::audio_options options;
  options.raw = raw_format(settings, facts);
  return meters::make_audio_meter(options);
}

json_pointer pointer_to(const std::string& text) {
  return std::get<json_pointer>(json_pointer::parse(text));  // checked when the route was compiled
}

std::unique_ptr<readers::reader> make_reader(const audio_settings& settings,
                                             std::string_view content_type, readers::sink& target) {
  const auto type = media_type(content_type);
  if (equal_ignoring_case(type, "multipart/form-data")) {
    return std::make_unique<readers::multipart>(
        readers::boundary_of(content_type), readers::multipart_settings{settings.part, {}}, target);
  }
  if (equal_ignoring_case(type, "text/event-stream")) {
    return std::make_unique<readers::event_stream>(
        readers::event_stream_settings{settings.event, pointer_to(settings.event_json)}, target);
  }
  if (equal_ignoring_case(type, "application/json")) {
    return std::make_unique<readers::json_base64>(pointer_to(settings.json), target);
  }
  return std::make_unique<readers::whole_body>(target);
}

}  // namespace

audio_tap::audio_tap(const audio_settings& settings, const body_facts& facts)
    : bit_rate_{settings.bit_rate},
      meter_{make_meter(settings, facts)},
      into_meter_{*meter_},
      reader_{make_reader(settings, facts.content_type, into_meter_)},
      decoder_{readers::make_content_decoder(facts.content_encoding, {}, *reader_)} {}

audio_tap::~audio_tap() = default;

void audio_tap::write(std::string_view piece) {
  bytes_ += piece.size();
  decoder_->write(piece);
}

void audio_tap::finish() {
  if (!ended_) decoder_->finish();
  ended_ = true;
}

fault audio_tap::fault() const {
  return decoder_->problem() != fault::none ? decoder_->problem() : reader_->problem();
}

meters::state audio_tap::status() const {
  if (fault() != fault::none) return meters::state::unmeasurable;
  const bool silent =
      meter_->status() == meters::state::undecided || meter_->measured() == meters::duration{};
  return ended_ && silent ? meters::state::unmeasurable : meter_->status();
}

quota::usage audio_tap::used() const {
  if (status() != meters::state::unmeasurable) return {meter_->measured().microseconds_up()};
  const auto us = static_cast<__int128>(bytes_) * 8 * 1'000'000 / bit_rate_;
  return {static_cast<std::int64_t>(std::min<__int128>(us, quota::max_used))};
}

std::string audio_tap::why_unmeasurable() const {
  if (const auto why = fault(); why != fault::none) {
    return "its body could not be read: " + std::string{readers::to_string(why)};
  }
  if (bytes_ == 0) return "its body is empty";
  if (meter_->container().empty()) return "it is no audio in a format that is known here";
  return "no audio was found in it (container: " + std::string{meter_->container()} + ")";
}

}  // namespace tollgate::routes
