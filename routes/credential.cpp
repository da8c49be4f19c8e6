#include "routes/credential.hpp"

#include <algorithm>
#include <optional>

#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

// These messages never repeat what the caller sent: it may be a key of another service, sent by
// mistake, and messages end up in logs.
problem unauthorized(problem_code code, std::string message) {
  return {code, std::move(message), std::nullopt, {}};
}

problem missing() {
  return unauthorized(problem_code::missing_api_key,
                      "No API key: send `Authorization: Bearer KEY` or `x-api-key: KEY`.");
}

problem malformed() {
  return unauthorized(problem_code::invalid_api_key,
                      "The API key is malformed: send `Authorization: Bearer KEY` or "
                      "`x-api-key: KEY`, with one key of at most 512 letters, digits and -._~+/=.");
}

bool is_key(std::string_view text) {
  constexpr std::size_t longest = 512;
  constexpr std::string_view others = "-._~+/=";
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_alpha(c) || is_digit(c) || others.find(c) != others.npos;
         });
}

// The key in `Bearer KEY`; empty for any other value.
std::string_view bearer_key(std::string_view value) {
  const auto blank = value.find(' ');
  if (blank == value.npos || !equal_ignoring_case(value.substr(0, blank), "bearer")) return {};
  return value.substr(std::min(value.find_first_not_of(' ', blank), value.size()));
}

}  // namespace

std::variant<std::string_view, problem> read_credential(const request_view& request) {
  if (request.count("authorization") > 1) return invalid_request("Several Authorization headers.");
  if (request.count("x-api-key") > 1) return invalid_request("Several x-api-key headers.");
  const auto authorization = request.header("authorization");
  const auto api_key = request.header("x-api-key");
  if (authorization.empty() && api_key.empty()) return missing();
  if (authorization.empty()) {
    if (!is_key(api_key)) return malformed();
    return api_key;
  }
  const auto bearer = bearer_key(authorization);
  if (!api_key.empty() && api_key != bearer)
    return invalid_request(
        "Authorization and x-api-key carry different credentials: send one of them.");
  if (!is_key(bearer)) return malformed();
  return bearer;
}

}  // namespace tollgate::routes
