#include "routes/problem.hpp"

#include <algorithm>
#include <array>

#include "routes/classify.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

// One row per problem: its status, its code, and its type in each dialect. The OpenAI and Anthropic
// types are those of their own APIs, so their SDKs and users know them.
struct row {
  problem_code code;
  int status;
  std::string_view name, platform, openai, anthropic;
};

constexpr std::string_view bad = "invalid_request_error", api = "api_error";

constexpr std::array table{
    row{problem_code::invalid_request, 400, "invalid_request", bad, bad, bad},
    row{problem_code::missing_api_key, 401, "missing_api_key", "authentication_error", bad,
        "authentication_error"},
    row{problem_code::invalid_api_key, 401, "invalid_api_key", "authentication_error", bad,
        "authentication_error"},
    row{problem_code::insufficient_credits, 402, "insufficient_credits", "billing_error",
        "insufficient_quota", "billing_error"},
    row{problem_code::spend_cap_reached, 402, "spend_cap_reached", "billing_error",
        "insufficient_quota", "billing_error"},
    row{problem_code::limit_reached, 402, "limit_reached", "billing_error", "insufficient_quota",
        "billing_error"},
    row{problem_code::org_suspended, 403, "org_suspended", "permission_error", bad,
        "permission_error"},
    row{problem_code::no_route, 404, "no_route", "not_found_error", bad, "not_found_error"},
    row{problem_code::body_too_large, 413, "body_too_large", "request_too_large", bad,
        "request_too_large"},
    row{problem_code::unmeasurable_audio, 415, "unmeasurable_audio", bad, bad, bad},
    row{problem_code::unsupported_content_encoding, 415, "unsupported_content_encoding", bad, bad,
        bad},
    row{problem_code::headers_too_large, 431, "headers_too_large", bad, bad, bad},
    row{problem_code::internal_error, 500, "internal_error", api, "server_error", api},
    row{problem_code::upstream_unreachable, 502, "upstream_unreachable", "upstream_error",
        "server_error", api},
    row{problem_code::bad_upstream_response, 502, "bad_upstream_response", "upstream_error",
        "server_error", api},
    row{problem_code::ledger_unavailable, 503, "ledger_unavailable", "unavailable_error",
        "server_error", "overloaded_error"},
    row{problem_code::overloaded, 503, "overloaded", "unavailable_error", "server_error",
        "overloaded_error"},
    row{problem_code::upstream_timeout, 504, "upstream_timeout", "upstream_error", "server_error",
        "timeout_error"},
    row{problem_code::request_timeout, 408, "request_timeout", bad, bad, bad},
    row{problem_code::rate_limited, 429, "rate_limited", "rate_limit_error", "requests",
        "rate_limit_error"},
    row{problem_code::upgrade_required, 426, "upgrade_required", bad, bad, bad},
};

// The table has the order of the enumerators, so a problem's number is its row.
constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].code) != i) return false;
  return true;
}
static_assert(in_order());

const row& row_of(problem_code code) {
  return table.at(static_cast<std::size_t>(code));
}

std::string_view type_of(problem_code code, dialect dialect) {
  const auto& row = row_of(code);
  switch (dialect) {
    case dialect::openai:
      return row.openai;
    case dialect::anthropic:
      return row.anthropic;
    case dialect::platform:
      break;
  }
  return row.platform;
}

void append_member(std::string& out, std::string_view name, std::string_view value, bool quote) {
  out += ',';
  append_json_string(out, name);
  out += ':';
  if (quote)
    append_json_string(out, value);
  else
    out += value;
}

}  // namespace

int status_of(problem_code code) {
  return row_of(code).status;
}
bool is_refusal(problem_code code) {
  return code != problem_code::upstream_unreachable &&
         code != problem_code::bad_upstream_response && code != problem_code::upstream_timeout;
}
std::string_view to_string(problem_code code) {
  return row_of(code).name;
}

std::string render(const problem& problem, dialect dialect, std::string_view request_id) {
  std::string out = R"({"success":false,"type":"error","error":{"code":)";
  append_json_string(out, to_string(problem.code));
  append_member(out, "type", type_of(problem.code, dialect), true);
  append_member(out, "message", problem.message, true);
  append_member(out, "param", "null", false);
  for (const auto& fact : problem.facts) append_member(out, fact.name, fact.value, fact.quote);
  out += '}';
  append_member(out, "request_id", request_id, true);
  return out += '}';
}

bool is_cured_by_waiting(problem_code code) {
  // Those that the SDKs of OpenAI and Anthropic repeat by themselves.
  const int status = status_of(code);
  return status >= 500 || status == 408 || status == 409 || status == 429;
}

namespace {

// By headers that only clients of one API send.
std::optional<dialect> dialect_of_headers(const request_view& request) {
  constexpr std::string_view anthropic = "anthropic-", openai = "openai-";
  for (const auto& field : request.headers) {
    if (equal_ignoring_case(field.name.substr(0, anthropic.size()), anthropic))
      return dialect::anthropic;
    if (equal_ignoring_case(field.name.substr(0, openai.size()), openai)) return dialect::openai;
  }
  return std::nullopt;
}

}  // namespace

dialect guess_dialect(std::string_view path, const request_view& request) {
  if (const auto known = dialect_of_headers(request)) return *known;
  const auto has = [path](std::string_view part) { return path.find(part) != path.npos; };
  if (has("/v1/messages")) return dialect::anthropic;
  constexpr std::array<std::string_view, 10> openai{
      "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/audio/",
      "/v1/images/",          "/v1/moderations", "/v1/realtime",  "/v1/models",     "/v1/files"};
  if (std::any_of(openai.begin(), openai.end(), has)) return dialect::openai;
  return request.count("x-api-key") > 0 ? dialect::anthropic : dialect::platform;
}

problem invalid_request(std::string message) {
  return {problem_code::invalid_request, std::move(message), std::nullopt, {}};
}
}  // namespace tollgate::routes
