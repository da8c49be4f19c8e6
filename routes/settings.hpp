// What the configuration says about routes, as plain values. `config` fills them in.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quota/charge.hpp"
#include "quota/rate_card.hpp"

namespace tollgate::routes {

// Where a setting stands in its file, for messages: `FILE:LINE:COLUMN`. Zero: not from a file.
struct source_position {
  int line = 0, column = 0;
};

// "Any of these globs". `*` matches any run of characters, `?` one; all else is literal.
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

// Who reads the error bodies: decides `error.type`.
enum class dialect : std::uint8_t { platform, openai, anthropic };

struct route_settings {
  std::string name;
  match_settings match;
  std::string upstream;  // a name from `upstreams`
  std::string action;    // llm | tts | stt | query | api | ...; free text, counted by
  std::string rate;      // a name from `rates`
  std::string model;  // fixed model name for the ledger; empty: the JSON member /model, where read
  std::string count;  // per: query only: JSON pointer to the array whose elements are the queries
  bool critical = false;
  bool shadow = false;  // mode: shadow
  routes::dialect dialect = dialect::platform;
  quota::settlement_policy settlement;
  source_position at;
};

}  // namespace tollgate::routes
