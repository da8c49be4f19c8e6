#include "proxy/gateway/exchange/event_stream.hpp"

#include "proxy/net/slow_reader.hpp"

namespace tollgate::proxy {

namespace {

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

task<> relay_events(exchange_context& context, client_answer& answer, chunk_frame& frame,
                    admin::body_source& source) {
  auto& client = context.client;
  while (context.host.current() == context.view && !context.abandoned()) {
    client.watch(most_pipelined);
    const auto piece = co_await source.next();
    if (!piece) break;
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
  client.io.expires_after(context.write_patience());
  co_await client.io.write(frame.around({}, {}, true, {}));
  if (!context.host.draining()) co_return;
  client.io.shutdown_send(client.shared_from_this());
  client.io.close();
}

}  // namespace tollgate::proxy
