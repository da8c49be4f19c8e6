#include "proxy/net/api/idempotency.hpp"

#include <algorithm>
#include <stdexcept>

#include <openssl/rand.h>

#include "quota/ids.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t max_id_bytes = 128;

}  // namespace

checked<std::string> idempotency_key(const api_request& request, std::string_view prefix) {
  if (!request.idempotency_key) {
    std::uint64_t random[2];
    if (RAND_bytes(reinterpret_cast<unsigned char*>(random), sizeof random) != 1) {
      throw std::runtime_error{"no random bytes for a new id"};
    }
    const auto id = quota::hold_id::make(quota::system_clock{}.now(), random[0], random[1]);
    return std::string{prefix} + std::string{id.text()};
  }
  std::string_view key = *request.idempotency_key;
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"')
    key = key.substr(1, key.size() - 2);
  const bool printable =
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (key.empty() || key.size() > max_id_bytes || !printable) {
    return invalid("Idempotency-Key must be 1 to 128 printable ASCII characters without blanks",
                   "Idempotency-Key");
  }
  return std::string{key};
}

void say_replayed(api_response& response) {
  response.headers.emplace_back("Idempotent-Replayed", "true");
}

api_error key_reused(const std::string& what) {
  return {.status = 422,
          .code = "idempotency_key_reused",
          .message = "this Idempotency-Key was used before, for " + what +
                     "; use a new key for a new call",
          .param = "Idempotency-Key",
          .retry_after = {},
          .allow = {}};
}

}  // namespace tollgate::proxy::admin
