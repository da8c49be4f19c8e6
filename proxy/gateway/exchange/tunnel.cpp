#include "proxy/gateway/exchange/tunnel.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace tollgate::proxy {

namespace {

struct both_ends {
  downstream& client;
  upstream_connection& upstream;
  const std::chrono::milliseconds idle, client_write;
  tunnelled& bytes;
};

// However one direction ends, it also ends the other.
class ends_both {
 public:
  explicit ends_both(both_ends& ends) : ends_{ends} {}
  ~ends_both() {
    ends_.upstream.io.close();
    ends_.client.forbid_reads();
  }

 private:
  both_ends& ends_;
};

task<> down(both_ends& ends) {
  const ends_both ending{ends};
  auto& [client, upstream, idle, client_write, bytes] = ends;
  for (;;) {
    if (!upstream.in.empty()) {
      client.io.expires_after(client_write);
      const auto failed = co_await client.io.write(asio::buffer(upstream.in.view()));
      client.io.never_expires();
      if (failed) break;
      bytes.down += upstream.in.size();
      upstream.in.consume(upstream.in.size());
    }
    upstream.io.expires_after(idle);
    error_code ec;
    const auto n = co_await upstream.io.async_read_some(
        upstream.in.prepare(byte_buffer::transfer_capacity), asio::redirect_error(use_task, ec));
    upstream.in.commit(n);
    if (ec) break;
  }
}

task<> up(both_ends& ends) {
  const ends_both ending{ends};
  auto& [client, upstream, idle, client_write, bytes] = ends;
  for (;;) {
    // A read in progress may add to the buffer during this write.
    while (!client.in.empty()) {
      const auto piece = client.in.view();
      if (co_await upstream.io.write(asio::buffer(piece))) co_return;
      bytes.up += piece.size();
      client.in.consume(piece.size());
      upstream.io.expires_after(idle);
    }
    if (!co_await client.read_more(byte_buffer::transfer_capacity)) break;
  }
}

}  // namespace

task<> tunnel(downstream& client, upstream_connection& upstream, std::chrono::milliseconds idle,
              std::chrono::milliseconds client_write, tunnelled& bytes) {
  using namespace asio::experimental::awaitable_operators;
  both_ends ends{client, upstream, idle, client_write, bytes};
  co_await (down(ends) && up(ends));
}

}  // namespace tollgate::proxy
