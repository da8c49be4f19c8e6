// The configuration of routes as plain values. `config` fills them in.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quota/charge.hpp"
#include "quota/rate_card.hpp"
#include "routes/meters/raw_pcm.hpp"

namespace tollgate::routes {

// The position of a setting in its file, for messages: `FILE:LINE:COLUMN`. Zero if it is not from a
// file.
struct source_position {
  int line = 0, column = 0;
};

// "Any of these globs". `*` matches any run of characters, `?` one; everything else is literal.
using globs = std::vector<std::string>;

struct match_settings {
  std::vector<std::string> methods;                    // empty: any
  globs hosts;                                         // empty: any; without port, case-insensitive
  std::string path;                                    // "/v1/agents/{agent}/**"; empty: any
  std::vector<std::pair<std::string, globs>> headers;  // all must match
  std::vector<std::pair<std::string, globs>> query;    // all must match
  globs content_types;                                 // without parameters, case-insensitive
  std::vector<std::pair<std::string, globs>> json;     // JSON pointer ("/model"); all must match
};

// The expected length of an answer's audio: the characters of the text to be spoken, divided by the
// characters spoken per second, within bounds.
struct audio_estimate {
  std::string characters;  // JSON pointer to the text; empty: every call is `at_least`
  std::int64_t per_second = 15;
  std::int64_t at_least_us = 1'000'000, at_most_us = 600'000'000;
};

enum class when_exhausted : std::uint8_t {
  finish,  // an answer that exceeds the credits continues; the excess is overage
  cut,     // the answer is cut, and the delivered part is charged
};

enum class when_unmeasurable : std::uint8_t {
  by_direction,  // refuse uploads, estimate answers
  refuse,        // 415; for uploads only: an answer has already cost the upstream its work
  estimate,      // charge by size, at `bit_rate`
};

// For a route whose rate counts seconds of audio. Where the audio is depends on the body's content
// type: it is the part named `part` of multipart/form-data, the base64 at `json` in
// application/json, the base64 at `event_json` of the events of type `event` in text/event-stream,
// and any other body as it is.
struct audio_settings {
  std::string part = "file";
  std::string json = "/audio";
  std::string event = "speech.audio.delta", event_json = "/audio";
  // The format of audio without a container. An answer's content type takes precedence, an upload's
  // is ignored. Without either, the answer to `response_format: pcm` has OpenAI's documented
  // format: 24 kHz, mono, 16 bit.
  std::optional<meters::pcm_format> pcm;
  audio_estimate estimate;
  when_exhausted on_exhausted = when_exhausted::finish;
  when_unmeasurable on_unmeasurable = when_unmeasurable::by_direction;
  std::int64_t bit_rate = 64'000;          // bits per second of unmeasurable audio
  std::int64_t hold_step_us = 60'000'000;  // how far the hold may be ahead of the count

  bool estimates_unmeasurable(quota::meter_kind meter) const {
    return on_unmeasurable == when_unmeasurable::estimate ||
           (on_unmeasurable == when_unmeasurable::by_direction &&
            meter == quota::meter_kind::response_audio);
  }
};

// The clients that read the error bodies: decides `error.type`.
enum class dialect : std::uint8_t { platform, openai, anthropic };

struct route_settings {
  std::string name;
  match_settings match;
  std::string upstream;  // a name from `upstreams`
  std::string action;    // llm | tts | stt | query | api | ...; free text, counted by
  std::string rate;      // a name from `rates`
  std::string model;     // fixed model name for the ledger; empty: the JSON member /model, if read
  std::string count;  // per: query only: JSON pointer to the array whose elements are the queries
  bool critical = false;
  bool shadow = false;  // mode: shadow
  routes::dialect dialect = dialect::platform;
  quota::settlement_policy settlement;
  std::optional<audio_settings> audio;  // none: all defaults
  source_position at;
};

}  // namespace tollgate::routes
