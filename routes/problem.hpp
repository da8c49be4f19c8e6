// Maps an outcome to status and body. A refusal becomes HTTP only here.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quota/ledger/operation.hpp"
#include "routes/settings.hpp"

namespace tollgate::routes {

enum class problem_code : std::uint8_t {
  invalid_request,               // 400
  missing_api_key,               // 401
  invalid_api_key,               // 401
  insufficient_credits,          // 402: the balance
  spend_cap_reached,             // 402: the month's spend cap
  limit_reached,                 // 402: the limit of an agent, a conversation or a key
  org_suspended,                 // 403
  no_route,                      // 404
  body_too_large,                // 413
  unmeasurable_audio,            // 415
  unsupported_content_encoding,  // 415: a compressed body that determines the price
  headers_too_large,             // 431
  internal_error,                // 500
  upstream_unreachable,          // 502
  bad_upstream_response,         // 502
  ledger_unavailable,            // 503, with Retry-After
  overloaded,                    // 503: out of connections, or draining; with Retry-After
  upstream_timeout,              // 504
  request_timeout,               // 408: the client was too slow
  rate_limited,                  // 429: too many requests; with Retry-After
  upgrade_required,              // 426: a WebSocket where only HTTP has a price
};

int status_of(problem_code code);
// Whether Tollgate refused the call. Otherwise it reports that the upstream failed.
bool is_refusal(problem_code code);
// Whether the same request may succeed later although nobody changed anything. Clients are told not
// to repeat the others.
bool is_cured_by_waiting(problem_code code);
std::string_view to_string(problem_code code);  // "invalid_request"

struct problem {
  problem_code code = problem_code::invalid_request;
  std::string message;  // says what is wrong and what to do about it
  std::optional<std::chrono::seconds> retry_after;
  // Machine-readable facts, added to the `error` object: ("required_credits", "10"). Numbers are in
  // JSON's form; the renderer quotes strings if `quote` is set.
  struct fact {
    std::string name, value;
    bool quote = true;
  };
  std::vector<fact> facts;
};

// {"success":false,"type":"error","error":{"code","type","message","param":null},"request_id"}: one
// format that OpenAI, Anthropic and platform clients all read; `error.type` follows the dialect.
std::string render(const problem& problem, dialect dialect, std::string_view request_id);

// Guesses the dialect of a caller whose request never reached a route: from headers that only one
// kind of client sends (`anthropic-version`, `openai-organization`), then from its path, also below
// a prefix (`/v1/messages`, `/openai/v1/chat/completions`), then from `x-api-key`.
struct request_view;
dialect guess_dialect(std::string_view path, const request_view& request);

// 400: the request cannot be read with certainty. The message gives the reason.
problem invalid_request(std::string message);
}  // namespace tollgate::routes
