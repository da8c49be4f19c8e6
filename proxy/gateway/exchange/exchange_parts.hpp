// What the parts of exchange share among themselves; nobody else includes it.
#pragma once

#include <boost/beast/core/buffers_prefix.hpp>
#include <boost/beast/core/buffers_suffix.hpp>

#include "proxy/gateway/exchange/exchange.hpp"

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

// The end of a request. That the last byte goes up is written down right before; what is longer
// than `at_once` may have to wait for the upstream to read it, and its last byte goes by itself.
template <class Buffers>
task<error_code> exchange::write_last(const Buffers& buffers, std::size_t at_once) {
  if (!pays_from_last_byte()) co_return co_await up_->io.write(buffers);
  const auto size = asio::buffer_size(buffers);
  boost::beast::buffers_suffix<Buffers> rest{buffers};
  if (size > at_once) {
    const auto all_but_one = boost::beast::buffers_prefix(size - 1, buffers);
    if (const auto ec = co_await up_->io.write(all_but_one)) co_return ec;
    rest.consume(size - 1);
  }
  worker_.charges().began(*charge_, used_if_left());
  co_return co_await up_->io.write(rest);
}

}  // namespace tollgate::proxy
