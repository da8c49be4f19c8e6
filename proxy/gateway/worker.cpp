#include "proxy/gateway/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "proxy/gateway/session.hpp"
#include "proxy/net/sleep.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::int64_t most_refused = 64;  // that are read until their clients have the answer

int thread_count(const config::settings& settings) {
  if (settings.threads > 0) return settings.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::int64_t most_connections(const config::settings& settings) {
  const auto in_all = static_cast<std::int64_t>(settings.limits.connections);
  return std::max<std::int64_t>(in_all / thread_count(settings), 1);
}

void count_times(metrics::thread_metrics& counts, const exchange_record::durations& took) {
  counts.times.total.observe(std::chrono::microseconds{took.total_us});
  counts.times.overhead.observe(std::chrono::microseconds{took.overhead_us});
  const auto wait = [&](call_part part, std::int64_t us) {
    if (us != 0) {
      counts.times.parts[static_cast<std::size_t>(part)].observe(std::chrono::microseconds{us});
    }
  };
  wait(call_part::key, took.key_us);
  wait(call_part::request, took.request_us);
  wait(call_part::store, took.store_us);
  wait(call_part::connect, took.connect_us);
  wait(call_part::upstream, took.upstream_us);
  wait(call_part::response, took.response_us);
}

// Counts a failure of the upstream, and reports it if it is the first, and the end of a failure.
void watch_upstream(const exchange_record& record, const runtime& runtime, steady_time now) {
  if (record.route == exchange_record::no_route) return;
  auto& pool = runtime.pool_of(record.route);
  const auto& failure = record.failure;
  if (failure.cause != upstream_cause::none) {
    runtime.metrics.upstreams[runtime.upstream_of_route[record.route]]
        ->failures[failure.cause]
        .increment();
    pool.failing = true;
    const auto line = runtime.watch->failed(pool.settings().name, failure, now);
    if (!line.empty()) spdlog::warn("{}", line);
  } else if (pool.failing && record.upstream_status != 0) {
    std::string line;
    pool.failing = !runtime.watch->answered(pool.settings().name, now, line);
    if (!line.empty()) spdlog::info("{}", line);
  }
}

void count(metrics::thread_metrics& counts, const exchange_record& record, const runtime& runtime) {
  const auto& bound = runtime.metrics;
  auto& route =
      record.route == exchange_record::no_route ? *bound.no_route : *bound.routes[record.route];
  route.request(record.status, record.end).increment();
  if (record.refusal && routes::is_refusal(*record.refusal)) {
    route.refusals[*record.refusal].increment();
  }
  count_times(counts, record.took);
  if (record.upstream_status != 0) {
    auto& upstream = *bound.upstreams[runtime.upstream_of_route[record.route]];
    upstream.response_head.observe(std::chrono::microseconds{record.took.upstream_us});
    upstream.answer(record.upstream_status).increment();
  }
  if (!record.money.held) return;
  if (record.money.beyond_balance) {
    route.beyond_balance.increment();
    if (record.money.shadow) route.shadow_refusals.increment();
  }
  if (record.money.unmeasurable) route.unmeasurable_audio.increment();
  route.credits->held_micro.add(record.money.estimate.micro());
  if (record.money.settles) {
    route.credits->settled_micro.add(record.money.charged.micro());
    const auto rest = record.money.estimate + record.money.extended - record.money.charged;
    route.credits->released_micro.add(std::max(rest, quota::credits{}).micro());
  } else {
    route.credits->voided_micro.add((record.money.estimate + record.money.extended).micro());
  }
  if (record.money.extended > quota::credits{})
    route.credits->extended_micro.add(record.money.extended.micro());
}

}  // namespace

worker::worker(const dependencies_maker& open, worker_options options,
               metrics::thread_metrics& counts)
    : counts_{counts},
      deadlines_{std::chrono::steady_clock::now()},
      world_{open(context_)},
      keys_{context_.get_executor(), world_.directory()},
      settlement_{context_.get_executor(), world_.ledger()},
      events_{context_.get_executor(), world_.ledger(), world_.store->history()},
      runtime_{make_runtime(context_, deadlines_, std::move(options.configuration),
                            std::move(options.tls), counts_, std::move(options.watch))},
      log_{runtime_->settings().log.access},
      acceptor_{options.listen(context_)} {}

// A session that a drain could not end is kept alive by the operation it waits for, on its client's
// connection or on the ledger. If the loop only dropped it, it would leak, and its hold would stay
// unresolved. So the connections are closed, and then every wait for the ledger is answered.
worker::~worker() {
  stop();
  join();
  const auto run_what_is_ready = [this] {
    do context_.restart();
    while (context_.poll() > 0);  // repeated: the first may be the end that stop() requested
  };
  error_code ignored;
  acceptor_.close(ignored);
  sessions_.drain();
  sessions_.cut_all();
  run_what_is_ready();
  world_.background->close();
  world_.store->stop();
  run_what_is_ready();
  context_.destroy_what_waits();
}

void worker::keep_journal(journal::keeper& keeper, int index) {
  settlement_.use_journal(std::make_unique<journal::charges>(keeper, index));
}

void worker::sweep_accounts(quota::ledger::top_up_listener on_top_up,
                            sweeper::look_listener on_look) {
  sweeper_ = std::make_unique<sweeper>(
      executor(), *world_.store,
      [this] {
        const auto& settings = runtime_->settings();
        return sweeper::rules{settings.holds, settings.payments.kind != config::payment_kind::none};
      },
      std::move(on_top_up), counts_.expired_holds_micro);
  sweeper_->on_look(std::move(on_look));
}

void worker::start() {
  world_.store->start();
  const auto ticking = [](worker& self) -> task<> { co_await self.tick(); };
  asio::co_spawn(context_, ticking(*this), asio::detached);
  const auto accepting = [](worker& self) -> task<> { co_await self.accept(); };
  asio::co_spawn(context_, accepting(*this), asio::detached);
  if (sweeper_) asio::co_spawn(context_, sweeper_->run(), asio::detached);
  thread_ = std::thread{[this] { context_.run(); }};
}

void worker::join() {
  if (thread_.joinable()) thread_.join();
}

void worker::drain() {
  asio::post(context_, [this] {
    if (draining()) return;
    sessions_.drain();  // first: a stream that ends now must not wait for a next request
    error_code ignored;
    acceptor_.close(ignored);
    if (sweeper_) sweeper_->stop();
    events_.close();
    sessions_.cut_idle();
    sessions_.refused.close_all();
  });
}

void worker::cut() {
  asio::post(context_, [this] { sessions_.cut_all(); });
}

void worker::stop() {
  asio::post(context_, [this] { context_.stop(); });
}

void worker::reload(std::shared_ptr<const config::configuration> config,
                    std::shared_ptr<asio::ssl::context> tls) {
  asio::post(context_, [this, config = std::move(config), tls = std::move(tls)] {
    try {
      auto next = make_runtime(context_, deadlines_, config, tls, counts_, runtime_->watch);
      log_.reopen(next->settings().log.access);
      runtime_ = std::move(next);
    } catch (const std::runtime_error& error) {
      spdlog::error("a thread goes on with the old configuration: {}", error.what());
    }
  });
}

task<> worker::accept() {
  while (acceptor_.is_open()) {
    error_code ec;
    tcp_socket socket{context_.get_executor()};
    co_await acceptor_.async_accept(socket, asio::redirect_error(use_task, ec));
    if (ec == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
    if (ec) {  // e.g. out of descriptors: a closed connection gives one back
      const bool has_room = sessions_.make_room(deadlines_.now());
      sessions_.crowding.failed(ec, has_room, deadlines_.now());
      if (!has_room) co_await sleep_for(executor(), std::chrono::milliseconds{100});
    } else {
      take_in(std::move(socket));
    }
  }
}

// The loop that accepts connections outlives one that there is no memory for.
void worker::take_in(tcp_socket socket) try {
  const auto most = most_connections(runtime_->settings());
  const auto now = deadlines_.now();
  const bool too_many_leave = sessions_.has_too_many_leaving(most);
  if (too_many_leave || sessions_.is_full(most)) {
    const bool has_room = !too_many_leave && sessions_.make_room(now);
    sessions_.crowding.full(most, has_room, now);
    if (!has_room) {
      const auto at_once = std::min<std::int64_t>(open_sessions::spare_of(most), most_refused);
      return sessions_.refused.refuse(std::move(socket), deadlines_, world_.ids->next_hex128(),
                                      static_cast<std::size_t>(at_once));
    }
  }
  counts_.connections_total.increment();
  start_session(*this, std::move(socket));
} catch (const std::bad_alloc&) {
  sessions_.crowding.failed(make_error_code(boost::system::errc::not_enough_memory), false,
                            deadlines_.now());
}

void worker::exchange_finished(const exchange_record& record, const runtime& runtime) {
  sessions_.exchange_finished();
  count(counts_, record, runtime);
  watch_upstream(record, runtime, deadlines_.now());
  log_.write(record, world_.clock->now());
}

void worker::copy_gauges() {
  counts_.connections.set(sessions_.connections());
  const auto streams = static_cast<std::int64_t>(events_.streams());
  counts_.event_streams.set(streams);
  counts_.in_flight.set(std::max<std::int64_t>(sessions_.in_flight() - streams, 0));
  counts_.open_holds.set(static_cast<std::int64_t>(settlement_.held()));
  counts_.pending_settlements.set(static_cast<std::int64_t>(settlement_.resolving()));
  counts_.lost_log_lines.copy(log_.lost_lines());
  auto& store = counts_.store;
  const auto traffic = world_.store->traffic();
  const auto state = world_.store->state();
  store.ready.set(state.ready() ? 1 : 0);
  store.trouble.set(static_cast<std::int64_t>(state.trouble));
  for (std::size_t i = 0; i < store.troubles.size(); ++i) {
    store.troubles[i].copy(static_cast<std::int64_t>(traffic.troubles[i]));
  }
  store.voids_given_up.copy(static_cast<std::int64_t>(settlement_.voids_given_up()));
  store.connects.copy(static_cast<std::int64_t>(traffic.connects));
  store.commands.copy(static_cast<std::int64_t>(traffic.commands));
  store.writes.copy(static_cast<std::int64_t>(traffic.writes));
  store.bytes_out.copy(static_cast<std::int64_t>(traffic.bytes_out));
  store.bytes_in.copy(static_cast<std::int64_t>(traffic.bytes_in));
  store.failures.copy(static_cast<std::int64_t>(settlement_.counted().retries));
  for (std::size_t i = 0; i < runtime_->pools.size(); ++i) {
    auto& upstream = *runtime_->metrics.upstreams[i];
    upstream.idle.set(static_cast<std::int64_t>(runtime_->pools[i]->idle()));
  }
}

// All periodic work: deadlines, renewals, logs, gauges.
task<> worker::tick() {
  pause_timer next{executor()};
  constexpr std::chrono::milliseconds watch_every{250};
  auto prune_at = std::chrono::steady_clock::now(), watch_at = prune_at;
  for (;;) {
    next.expires_after(deadline_list::tick_every);
    error_code ec;
    co_await next.async_wait(asio::redirect_error(use_task, ec));
    const auto now = std::chrono::steady_clock::now();
    deadlines_.tick(now);
    settlement_.tick(now);
    log_.flush();
    if (now >= watch_at) {
      watch_at = now + watch_every;
      sessions_.end_what_lost_access(keys_, now);
    }
    if (now >= prune_at) {
      prune_at = now + std::chrono::seconds{1};
      keys_.prune(now);
      for (auto& pool : runtime_->pools) pool->prune(now);
    }
    copy_gauges();
    if (draining() && sessions_.connections() == 0 && settlement_.pending() == 0) break;
  }
  world_.store->stop();
  context_.stop();
}

}  // namespace tollgate::proxy
