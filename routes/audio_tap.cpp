#include "routes/audio_tap.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "quota/ledger/operation.hpp"
#include "routes/media_type.hpp"
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
// audio/basic (RFC 2046 section 4.3). Without a rate the type does not determine the format.
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
  // A caller could claim a rate that its upstream does not use, or raw samples where the upstream
  // finds a container that is not known here.
  if (facts.is_upload) return settings.pcm;
  if (const auto said = format_in(facts.content_type)) return said;
  if (settings.pcm) return settings.pcm;
  // The other formats of OpenAI's speech, in an answer or in its events, are detected by their
  // bytes.
  const bool may_be = facts.wants_raw_pcm ||
                      equal_ignoring_case(media_type(facts.content_type), "text/event-stream");
  return may_be ? std::optional{openai} : std::nullopt;
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

enum class shape : std::uint8_t {
  file,     // the body is the audio
  form,     // multipart/form-data
  json,     // with a member in base64
  events,   // of server-sent events
  unclear,  // two readers could interpret this type differently
};

// Covers every way in which a reader might interpret the type: Ruby takes every multipart type for
// a form, many take every type with this suffix for JSON. No reader expects events in an upload.
shape shape_of_upload(std::string_view media_type) {
  const auto type = fold(media_type);
  if (type.starts_with("multipart/")) return shape::form;
  const bool is_json = type.ends_with("/json") || type.ends_with("+json");
  return is_json ? shape::json : shape::file;
}

shape shape_of_answer(std::string_view media_type) {
  if (equal_ignoring_case(media_type, "multipart/form-data")) return shape::form;
  if (equal_ignoring_case(media_type, "text/event-stream")) return shape::events;
  if (equal_ignoring_case(media_type, "application/json")) return shape::json;
  return shape::file;
}

// An upstream could use the rate that the caller states, so it is told the rate that is used here.
std::string type_of_samples(const pcm_format& format) {
  constexpr std::array<std::string_view, 4> types{"", "audio/l8", "audio/l16", "audio/l24"};
  if (format.bytes_per_sample >= types.size()) return "application/octet-stream";
  std::string out{types.at(format.bytes_per_sample)};
  out.append("; rate=").append(std::to_string(format.rate));
  return out.append("; channels=").append(std::to_string(format.channels));
}

// The type of an upload as the upstream receives it; empty if its readers could interpret it
// differently.
std::optional<std::string> read_upload_type(const audio_settings& settings,
                                            std::string_view content_type) {
  const auto said = settings.pcm ? format_in(content_type) : std::nullopt;
  if (said && *said != *settings.pcm) return type_of_samples(*settings.pcm);
  switch (shape_of_upload(media_type(content_type))) {
    case shape::form:
      return form_media_type(content_type);
    case shape::json:
      return json_media_type(content_type);
    default:
      return file_media_type(content_type);
  }
}

std::unique_ptr<readers::reader> make_reader(const audio_settings& settings,
                                             const audio_tap::body_facts& facts,
                                             readers::sink& target) {
  const auto type = media_type(facts.content_type);
  const auto form = [&](std::optional<std::string> boundary) {
    return std::make_unique<readers::multipart>(
        std::move(boundary), readers::multipart_settings{settings.part, {}}, target);
  };
  const bool unclear = facts.is_upload && !read_upload_type(settings, facts.content_type);
  switch (unclear           ? shape::unclear
          : facts.is_upload ? shape_of_upload(type)
                            : shape_of_answer(type)) {
    case shape::form:
      return form(readers::boundary_of(facts.content_type));
    case shape::unclear:
      return form(std::nullopt);  // malformed from the start
    case shape::json:
      return std::make_unique<readers::json_base64>(
          pointer_to(settings.json), target,
          facts.is_upload ? readers::base64_digits::standard : readers::base64_digits::both);
    case shape::events:
      return std::make_unique<readers::event_stream>(
          readers::event_stream_settings{settings.event, pointer_to(settings.event_json)}, target);
    case shape::file:
      break;
  }
  return std::make_unique<readers::whole_body>(target);
}

bool is_encoded(std::string_view content_encoding) {
  return !content_encoding.empty() && !equal_ignoring_case(content_encoding, "identity");
}

}  // namespace

audio_tap::chain::chain(const audio_settings& settings, const body_facts& facts)
    : meter{make_meter(settings, facts)},
      into_meter{*meter},
      reader{make_reader(settings, facts, into_meter)} {}

meters::duration audio_tap::chain::found() const {
  // Also counts frames that are not at the start: after the head of a packaging they never are.
  return reader->problem() == fault::none ? meter->measured() : meters::duration{};
}

// The body contains frames that some reader may play, but at a place where they cannot be
// identified with certainty.
bool audio_tap::chain::hides_audio() const {
  return meter->status() == meters::state::unmeasurable && !meter->container().empty();
}

bool audio_tap::chain::has_begun_form() const {
  const auto* form = dynamic_cast<const readers::multipart*>(reader.get());
  return form != nullptr && form->has_begun();
}

bool audio_tap::chain::has_missed_some() const {
  return reader->problem() == fault::none && meter->has_missed_some();
}

bool audio_tap::chain::wants_second_reading() const {
  return reader->problem() == fault::none && meter->wants_second_reading();
}

void audio_tap::chain::begin_second_reading(const audio_settings& settings,
                                            const body_facts& facts) {
  is_read = wants_second_reading();
  if (!is_read) return;
  meter->begin_second_reading();
  reader = make_reader(settings, facts, into_meter);
}

// Whether upstreams decode a file of this name in the format found.
bool audio_tap::chain::fits_file_name() const {
  const auto* form = dynamic_cast<const readers::multipart*>(reader.get());
  if (form == nullptr) return true;
  const auto& names = form->file_names();
  return std::all_of(names.begin(), names.end(),
                     [this](const std::string& name) { return meter->fits_name(name); });
}

audio_tap::audio_tap(const audio_settings& settings, const body_facts& facts)
    : settings_{settings},
      sent_type_{facts.content_type},
      content_encoding_{facts.content_encoding},
      wants_raw_pcm_{facts.wants_raw_pcm},
      is_upload_{facts.is_upload},
      content_type_{facts.is_upload ? read_upload_type(settings, facts.content_type)
                                    : std::nullopt},
      bit_rate_{settings.bit_rate},
      claims_samples_{facts.is_upload && !settings.pcm && format_in(facts.content_type)},
      decoded_{settings, facts},
      decoder_{readers::make_content_decoder(facts.content_encoding, {}, *decoded_.reader)} {
  if (facts.is_upload && is_encoded(facts.content_encoding)) as_sent_.emplace(settings, facts);
}

audio_tap::~audio_tap() = default;

audio_tap::body_facts audio_tap::facts() const {
  return {sent_type_, content_encoding_, wants_raw_pcm_, is_upload_};
}

void audio_tap::write(std::string_view piece) {
  bytes_ += piece.size();
  if (decoded_.is_read) decoder_->write(piece);
  if (as_sent_ && as_sent_->is_read) as_sent_->reader->write(piece);
}

bool audio_tap::needs_all() const {
  if (fault() != readers::fault::none) return false;
  return status() == meters::state::undecided || decoded_.has_missed_some() ||
         (as_sent_ && as_sent_->has_missed_some());
}

bool audio_tap::wants_second_reading() const {
  if (fault() != readers::fault::none) return false;
  return decoded_.wants_second_reading() || (as_sent_ && as_sent_->wants_second_reading());
}

void audio_tap::begin_second_reading() {
  const auto same = facts();
  decoded_.begin_second_reading(settings_, same);
  if (decoded_.is_read)
    decoder_ = readers::make_content_decoder(content_encoding_, {}, *decoded_.reader);
  if (as_sent_) as_sent_->begin_second_reading(settings_, same);
  bytes_ = 0;
  ended_ = false;
}

void audio_tap::finish() {
  if (ended_) return;
  ended_ = true;
  if (decoded_.is_read) decoder_->finish();
  if (!as_sent_ || !as_sent_->is_read) return;
  is_form_as_sent_ = as_sent_->has_begun_form();  // a form without any part also ends in a fault
  as_sent_->reader->finish();
}

fault audio_tap::fault() const {
  if (decoder_->problem() != fault::none) return decoder_->problem();
  const bool two_forms = as_sent_ && (ended_ ? is_form_as_sent_ : as_sent_->has_begun_form());
  return two_forms ? fault::ambiguous : decoded_.reader->problem();
}

std::size_t audio_tap::memory() const {
  return decoded_.meter->memory() + (as_sent_ ? as_sent_->meter->memory() : 0);
}

meters::state audio_tap::status() const {
  if (fault() != fault::none) return meters::state::unmeasurable;
  const auto& meter = *decoded_.meter;
  if (meter.status() == meters::state::measuring && !decoded_.fits_file_name())
    return meters::state::unmeasurable;
  if (as_sent_ && as_sent_->hides_audio()) return meters::state::unmeasurable;
  if (!ended_) return meter.status();
  const bool silent =
      meter.status() == meters::state::undecided || meter.measured() == meters::duration{};
  return silent ? meters::state::unmeasurable : meter.status();
}

// A decoder that continues where this meter cannot has played everything counted so far, so that
// part stays.
quota::usage audio_tap::used() const {
  auto counted = decoded_.meter->measured();
  if (as_sent_) counted = std::max(counted, as_sent_->found());
  if (status() != meters::state::unmeasurable) return {counted.microseconds_up()};
  const auto us = static_cast<__int128>(bytes_) * 8 * 1'000'000 / bit_rate_;
  return {std::max(counted.microseconds_up(),
                   static_cast<std::int64_t>(std::min<__int128>(us, quota::max_used)))};
}

std::string audio_tap::why_unmeasurable() const {
  if (const auto why = fault(); why != fault::none) {
    return "its body could not be read: " + std::string{readers::to_string(why)};
  }
  if (bytes_ == 0) return "its body is empty";
  if (!container().empty() && !decoded_.fits_file_name())
    return "its file name does not fit its format (" + std::string{container()} + ")";
  if (container().empty() && claims_samples_) {
    return "it has samples without a container, and its route has no audio.pcm";
  }
  if (container().empty()) {
    return "it is not audio in a known format (AAC, AIFF, AMR, FLAC, MP3, MP4 and "
           "QuickTime, MPEG "
           "program streams, Ogg, WAV, WebM and Matroska)";
  }
  return "it has no audio, or is not as ordinary encoders write it (container: " +
         std::string{container()} + ")";
}

}  // namespace tollgate::routes
