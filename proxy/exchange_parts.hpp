// What the parts of exchange share among themselves; nobody else includes it.
#pragma once

#include "proxy/exchange.hpp"

namespace tollgate::proxy {

using routes::problem;
using routes::problem_code;
using std::chrono::steady_clock;

inline std::int64_t us_between(steady_time from, steady_time to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

inline problem malformed_body() {
  return {problem_code::invalid_request, "The body's chunked framing is malformed.", {}, {}};
}

inline problem body_ended_early() {
  return {problem_code::invalid_request, "The body ended too early.", {}, {}};
}

inline problem body_too_large(std::uint64_t limit) {
  return {problem_code::body_too_large,
          "The body is larger than the limit of " + std::to_string(limit) + " bytes.",
          {},
          {}};
}

inline problem ledger_unavailable() {
  return {problem_code::ledger_unavailable,
          "The credit ledger cannot be reached, so nothing was forwarded or charged; try again "
          "shortly.",
          std::chrono::seconds{1},
          {}};
}

}  // namespace tollgate::proxy
