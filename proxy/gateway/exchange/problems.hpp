// Problems that more than one part of an exchange may find.
#pragma once

#include <cstdint>
#include <string>

#include "routes/problem.hpp"

namespace tollgate::proxy {

inline routes::problem malformed_body() {
  return {
      routes::problem_code::invalid_request, "The body's chunked framing is malformed.", {}, {}};
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

inline routes::problem ledger_unavailable() {
  return {routes::problem_code::ledger_unavailable,
          "The credit ledger cannot be reached, so nothing was forwarded or charged; try again "
          "shortly.",
          std::chrono::seconds{1},
          {}};
}

}  // namespace tollgate::proxy
