// The end of a request. Only the parts of upstream_call include it.
#pragma once

#include <boost/beast/core/buffers_prefix.hpp>
#include <boost/beast/core/buffers_suffix.hpp>

#include "proxy/gateway/exchange/upstream_call.hpp"

namespace tollgate::proxy {

// Records that the last byte is sent right before it is. A write longer than `at_once` may have to
// wait for the upstream to read, so then the last byte is sent separately.
template <class Buffers>
task<error_code> upstream_call::write_last(const Buffers& buffers, std::size_t at_once) {
  auto& io = lease_->io;
  const auto size = asio::buffer_size(buffers);
  boost::beast::buffers_suffix<Buffers> rest{buffers};
  if (hold_.pays_from_last_byte()) {
    if (size > at_once) {
      const auto all_but_one = boost::beast::buffers_prefix(size - 1, buffers);
      if (const auto ec = co_await io.write(all_but_one)) co_return ec;
      rest.consume(size - 1);
    }
    hold_.began();
  }
  error_code ec;
  if (!io.write_now(rest, ec)) ec = co_await io.write_rest(rest);
  co_return ec;
}

}  // namespace tollgate::proxy
