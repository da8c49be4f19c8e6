// The Idempotency-Key of calls that must take effect once.
#pragma once

#include <string>
#include <string_view>

#include "proxy/net/api/message.hpp"

namespace tollgate::proxy::admin {

// The key, bare or as the quoted string of the IETF draft. Without one, a generated key that begins
// with `prefix`.
checked<std::string> idempotency_key(const api_request& request, std::string_view prefix);

// Marks the answer as a repetition of an earlier call with the same key.
void say_replayed(api_response& response);

// 422: the key was used for something else, "a grant with 7 credits".
api_error key_reused(const std::string& what);

}  // namespace tollgate::proxy::admin
