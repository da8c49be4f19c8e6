// The part of an exchange that sends what happens to the caller's account, as it happens.
#include "proxy/gateway/exchange/exchange_parts.hpp"
#include "proxy/net/slow_reader.hpp"
#include "routes/credential.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::chrono::milliseconds look_again{500};
constexpr std::chrono::milliseconds watch_every{250};
constexpr std::size_t most_pipelined = 16 * 1024;

}  // namespace

// Ends with the client, with its key, with a configuration that has been replaced, and when we are
// to go: nobody waits for it, and a client that comes again goes on where it stood. The connection
// ends with it, too.
task<> exchange::send_stream(own_response head, std::shared_ptr<admin::body_source> source) {
  const bool chunked = request_.head().version >= 11;
  head.follows = chunked ? framing::chunked : framing::until_close;
  head.is_head = request_.head().method == "HEAD";
  if (!request_.done()) keep_client_ = false;
  if (!head.is_head) keep_client_ = false;
  head.close = !keep_client_;
  const bool failed =
      static_cast<bool>(co_await write_to_client(serialize(head, record_.request_id)));
  if (failed || head.is_head) {
    keep_client_ = keep_client_ && !failed;
    co_return;
  }
  streaming_ = true;  // it may take days
  worker_.deadlines().arm(*this, watch_every);
  head_sent_ = true;
  record_.overhead_us = overhead_so_far();
  bound_slow_reader(client_.io.socket().native_handle(), settings().timeouts.client_write);
  client_.on_gone([source] { source->end(); });
  client_.end_means_gone();
  chunk_frame frame{chunked};
  co_await relay_stream(frame, *source);
  source->end();
  client_.on_gone(nullptr);
  if (client_.gone() || !client_.io.is_open()) co_return;
  client_.io.expires_after(settings().timeouts.client_write);
  co_await client_.io.write(frame.around({}, {}, true, {}));
  if (!worker_.draining()) co_return;
  client_.io.shutdown_send(client_.shared_from_this());
  client_.io.close();
}

// Somebody who does not read what is being written holds up nobody who drains.
void exchange::watch_stream() {
  if (worker_.draining()) return client_.io.close();
  worker_.deadlines().arm(*this, watch_every);
}

task<> exchange::relay_stream(chunk_frame& frame, admin::body_source& source) {
  const auto credential = routes::read_credential(request_.head().request());
  const auto hash = quota::hash_key(std::get<std::string_view>(credential));
  auto looked_at = steady_clock::now();
  while (worker_.current() == runtime_ && !client_.gone()) {
    client_.watch(most_pipelined);
    const auto piece = co_await source.next();
    if (!piece) break;
    if (steady_clock::now() - looked_at >= look_again) {
      looked_at = steady_clock::now();
      if (!co_await key_is_in_force(hash)) break;
    }
    if (piece->empty()) continue;
    client_.io.expires_after(settings().timeouts.client_write);
    const auto failed = co_await client_.io.write(frame.around({}, *piece, false, {}));
    client_.io.never_expires();
    if (failed) break;
    record_.bytes_out += piece->size();
  }
}

// Also while the store is away, and nobody can tell.
task<bool> exchange::key_is_in_force(const quota::key_hash& hash) {
  const auto now = worker_.deadlines().now();
  if (worker_.keys().fresh(hash, now) != nullptr) co_return true;
  const auto owner = co_await worker_.keys().look_up(hash, now);
  co_return !owner || owner->has_value();
}

}  // namespace tollgate::proxy
