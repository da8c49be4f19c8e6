// Problems that more than one part of an exchange may find.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/gateway/key_cache.hpp"
#include "routes/problem.hpp"

namespace tollgate::proxy {

inline routes::problem malformed_body() {
  return {
      routes::problem_code::invalid_request, "The body's chunked framing is malformed.", {}, {}};
}

inline routes::problem trailers_too_large() {
  return {routes::problem_code::headers_too_large,
          "The trailers of the request are more than 32 fields or 4 KiB.",
          {},
          {}};
}

inline routes::problem body_ended_early() {
  return {routes::problem_code::invalid_request, "The body ended too early.", {}, {}};
}

inline routes::problem body_too_large(std::uint64_t limit) {
  return {routes::problem_code::body_too_large,
          "The body is larger than the limit of " + std::to_string(limit) + " bytes.",
          {},
          {}};
}

// For a call that was under way.
inline routes::problem access_lost(key_cache::standing how) {
  if (how == key_cache::standing::suspended) {
    return {routes::problem_code::org_suspended,
            "This organization was suspended during the call; ask its administrator.",
            {},
            {}};
  }
  return {routes::problem_code::invalid_api_key,
          "This API key was revoked during the call; create a new one.",
          {},
          {}};
}

// `of`: "the head of this request".
inline routes::problem no_memory(std::string_view of) {
  return {routes::problem_code::overloaded,
          "There is no memory for " + std::string{of} + " now; try again shortly.",
          std::chrono::seconds{1},
          {}};
}

inline routes::problem ledger_unavailable() {
  return {routes::problem_code::ledger_unavailable,
          "The credit ledger cannot be reached, so nothing was forwarded or charged; try again "
          "shortly.",
          std::chrono::seconds{1},
          {}};
}

}  // namespace tollgate::proxy
