#include <algorithm>
#include <cmath>

#include "deploy/sample_upstream/audio/encoder.hpp"
#include "deploy/sample_upstream/base64.hpp"
#include "deploy/sample_upstream/handlers.hpp"
#include "deploy/sample_upstream/json.hpp"

namespace tollgate::sample_upstream {

namespace {

// The maximum held in memory, however long the audio is.
constexpr std::size_t largest_chunk = 48 * 1024;

std::uint64_t count_characters(std::string_view utf8) {
  return std::ranges::count_if(utf8, [](unsigned char byte) { return (byte & 0xc0) != 0x80; });
}

// The time that a fast speaker needs for the text, unless the request sets the duration.
double seconds_of(const exchange& x, const speech_fields& asked) {
  constexpr double characters_a_second = 15, least = 0.5, most = 100 * 3600;
  if (const auto wanted = x.asked().seconds; wanted && *wanted >= 0) return std::min(*wanted, most);
  const auto speed = std::clamp(asked.speed, 0.25, 4.0);  // OpenAI's bounds
  const auto characters = static_cast<double>(count_characters(asked.input));
  return std::max(least, characters / characters_a_second / speed);
}

std::string as_it_is(std::string_view bytes) {
  return std::string{bytes};
}

std::string as_event(std::string_view bytes) {
  return R"(data: {"type":"speech.audio.delta","audio":")" + base64(bytes) + "\"}\n\n";
}

// Sends the requested number of pieces of equal duration; a large piece takes several chunks.
task<> send_audio(exchange& x, const audio::encoder& source,
                  std::string (*wrapped)(std::string_view)) {
  const auto pieces = std::max<std::uint64_t>(1, std::min(x.asked().chunks, source.frames()));
  std::string bytes = source.header();
  std::uint64_t frame = 0;
  for (std::uint64_t piece = 1; piece <= pieces; ++piece) {
    co_await x.pace();
    for (const auto end = source.frames() * piece / pieces; frame < end; ++frame) {
      source.append_frame(frame, bytes);
      if (bytes.size() < largest_chunk) continue;
      co_await x.stream(wrapped(bytes));
      bytes.clear();
    }
    // An empty chunk would end the answer.
    if (!bytes.empty()) co_await x.stream(wrapped(bytes));
    bytes.clear();
  }
}

task<> send_done(exchange& x, const speech_fields& asked, double seconds) {
  // Roughly like OpenAI's models: one token for four characters, and twenty per second.
  const auto input = count_characters(asked.input) / 4 + 1;
  const auto output = static_cast<std::uint64_t>(std::ceil(seconds * 20));
  std::string event = R"(data: {"type":"speech.audio.done","usage":{"input_tokens":)";
  event.append(std::to_string(input)).append(R"(,"output_tokens":)");
  event.append(std::to_string(output)).append(R"(,"total_tokens":)");
  co_await x.stream(event.append(std::to_string(input + output)).append("}}\n\n"));
}

}  // namespace

task<> speech(exchange& x) {
  const auto asked = read_speech_fields(co_await x.read_text());
  if (!asked) co_return co_await refuse(x, no_json_object);
  const auto* const format = audio::find_format(asked->response_format);
  const bool events = asked->stream_format == "sse";
  if (asked->input.empty()) co_return co_await refuse(x, "`input` is missing.");
  if (format == nullptr) co_return co_await refuse(x, "There is no such `response_format`.");
  if (!events && asked->stream_format != "audio") {
    co_return co_await refuse(x, "There is no such `stream_format`.");
  }

  const auto seconds = seconds_of(x, *asked);
  const auto samples = std::llround(seconds * audio::sample_rate);
  const auto source = format->encode(static_cast<std::uint64_t>(samples));
  co_await x.begin_stream(events ? "text/event-stream" : format->content_type);
  co_await send_audio(x, *source, events ? as_event : as_it_is);
  if (events) co_await send_done(x, *asked, seconds);
  co_await x.end_stream();
}

}  // namespace tollgate::sample_upstream
