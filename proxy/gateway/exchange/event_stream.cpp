#include "proxy/gateway/exchange/event_stream.hpp"

#include "proxy/net/slow_reader.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::chrono::milliseconds look_again{500};
constexpr std::chrono::milliseconds watch_every{250};
constexpr std::size_t most_pipelined = 16 * 1024;

// A client that does not read the events must not delay draining.
class drain_watch final : private deadline {
 public:
  explicit drain_watch(const exchange_context& context) : context_{context} { watch(); }

 private:
  void on_deadline() override {
    if (context_.host.draining()) return context_.client.io.close();
    watch();
  }
  void watch() { context_.host.deadlines().arm(*this, watch_every); }

  const exchange_context& context_;
};

// True also while the store is unavailable, when this is unknown.
task<bool> key_is_in_force(exchange_host& host, const quota::key_hash& hash) {
  const auto now = host.deadlines().now();
  if (host.keys().fresh(hash, now) != nullptr) co_return true;
  const auto owner = co_await host.keys().look_up(hash, now);
  co_return !owner || owner->has_value();
}

task<> relay_events(exchange_context& context, client_answer& answer, chunk_frame& frame,
                    admin::body_source& source) {
  auto& client = context.client;
  const auto credential = routes::read_credential(context.head().request(), context.key_places());
  const auto hash = quota::hash_key(std::get<std::string_view>(credential));
  auto looked_at = context.host.deadlines().now();
  while (context.host.current() == context.view && !client.gone()) {
    client.watch(most_pipelined);
    const auto piece = co_await source.next();
    if (!piece) break;
    const auto now = context.host.deadlines().now();
    if (now - looked_at >= look_again) {
      looked_at = now;
      if (!co_await key_is_in_force(context.host, hash)) break;
    }
    if (piece->empty()) continue;
    if (co_await answer.write(frame.around({}, *piece, false, {}))) break;
    answer.count(piece->size());
  }
}

}  // namespace

task<> stream_events(exchange_context& context, client_answer& answer,
                     std::shared_ptr<admin::body_source> source) {
  auto& client = context.client;
  const auto patience = context.settings().timeouts.client_write;
  const drain_watch watching{context};
  bound_slow_reader(client.io.socket().native_handle(), patience);
  client.on_gone([source] { source->end(); });
  client.end_means_gone();
  chunk_frame frame{context.head().version >= 11};
  co_await relay_events(context, answer, frame, *source);
  source->end();
  client.on_gone(nullptr);
  if (client.gone() || !client.io.is_open()) co_return;
  client.io.expires_after(patience);
  co_await client.io.write(frame.around({}, {}, true, {}));
  if (!context.host.draining()) co_return;
  client.io.shutdown_send(client.shared_from_this());
  client.io.close();
}

}  // namespace tollgate::proxy
