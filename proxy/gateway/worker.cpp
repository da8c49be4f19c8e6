#include "proxy/gateway/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "proxy/archive/archived_store.hpp"
#include "proxy/gateway/session.hpp"
#include "quota/redis/directory.hpp"
#include "quota/redis/retention.hpp"
#include "quota/redis/store.hpp"

namespace tollgate::proxy {

namespace {

using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

task<> sleep_for(io_executor executor, std::chrono::milliseconds duration) {
  timer delay{executor};
  delay.expires_after(duration);
  error_code ignored;
  co_await delay.async_wait(asio::redirect_error(use_task, ignored));
}

std::unique_ptr<quota::ledger_store> make_ledger(quota::redis::connection& redis,
                                                 const config::retention_settings& retention) {
  auto ledger = std::make_unique<quota::redis::redis_store>(redis);
  ledger->pack_idle_totals(retention.idle_totals);
  return ledger;
}

int thread_count(const config::settings& settings) {
  if (settings.threads > 0) return settings.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// A store, or an account, of a schema that this version does not know.
quota::redis::connection_options telling_refusals() {
  quota::redis::connection_options options;
  options.on_refusal = [](const std::string& why) { spdlog::error("store: {}", why); };
  return options;
}

}  // namespace

worker::worker(const quota::redis::address& store,
               std::shared_ptr<const config::configuration> config,
               std::shared_ptr<asio::ssl::context> tls, const asio::ip::tcp::endpoint& where,
               metrics::thread_metrics& counts, int index)
    : counts_{counts},
      deadlines_{std::chrono::steady_clock::now()},
      redis_{quota::redis::make_store_connection(context_, store, telling_refusals())},
      world_{make_ledger(*redis_, config->values.retention),
             std::make_unique<quota::redis::redis_directory>(*redis_),
             std::make_unique<quota::system_clock>(), std::make_unique<quota::random_id_source>()},
      keys_{context_.get_executor(), *world_.directory},
      settlement_{context_.get_executor(), *world_.ledger},
      events_{context_.get_executor(), *world_.ledger},
      runtime_{make_runtime(context_, deadlines_, std::move(config), std::move(tls), counts_)},
      log_{runtime_->settings().log.access},
      acceptor_{listen_on(context_, "listen", where, sharing::yes)},
      index_{index} {}

worker::~worker() {
  stop();
  join();
}

void worker::on_top_up(quota::ledger_store::top_up_listener listener) {
  on_top_up_ = listener;
  world_.ledger->on_top_up(std::move(listener));
}

void worker::on_event(quota::ledger_store::event_listener listener) {
  world_.ledger->on_event(std::move(listener));
}

void worker::read_history_from(archive::archive_reader& archive) {
  retention_ = std::make_unique<quota::redis::redis_retention>(*redis_);
  history_ = std::make_unique<archive::archived_store>(*world_.ledger, *retention_, archive);
}

void worker::keep_journal(journal::keeper& keeper) {
  settlement_.use_journal(std::make_unique<journal::charges>(keeper, index_));
}

void worker::start() {
  redis_->start();
  const auto ticking = [](worker& self) -> task<> { co_await self.tick(); };
  asio::co_spawn(context_, ticking(*this), asio::detached);
  const auto accepting = [](worker& self) -> task<> { co_await self.accept(); };
  asio::co_spawn(context_, accepting(*this), asio::detached);
  if (index_ == 0) {
    const auto sweeping = [](worker& self) -> task<> { co_await self.sweep(); };
    asio::co_spawn(context_, sweeping(*this), asio::detached);
  }
  thread_ = std::thread{[this] { context_.run(); }};
}

void worker::join() {
  if (thread_.joinable()) thread_.join();
}

void worker::drain() {
  asio::post(context_, [this] {
    if (draining_) return;
    draining_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    events_.close();
    cut_sessions(true);
  });
}

void worker::cut() {
  asio::post(context_, [this] { cut_sessions(false); });
}

void worker::cut_sessions(bool only_idle) {
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    auto& session = *it++;
    if (session.idle || !only_idle) session.cut();
  }
}

void worker::stop() {
  asio::post(context_, [this] { context_.stop(); });
}

void worker::reload(std::shared_ptr<const config::configuration> config,
                    std::shared_ptr<asio::ssl::context> tls) {
  asio::post(context_, [this, config = std::move(config), tls = std::move(tls)] {
    try {
      auto next = make_runtime(context_, deadlines_, config, tls, counts_);
      log_.reopen(next->settings().log.access);
      runtime_ = std::move(next);
    } catch (const std::runtime_error& error) {
      spdlog::error("thread {} goes on with the old configuration: {}", index_, error.what());
    }
  });
}

task<> worker::accept() {
  const auto limit = static_cast<std::int64_t>(runtime_->settings().limits.connections) /
                     thread_count(runtime_->settings());
  while (acceptor_.is_open()) {
    error_code ec;
    tcp_socket socket{context_.get_executor()};
    co_await acceptor_.async_accept(socket, asio::redirect_error(use_task, ec));
    if (ec == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
    if (ec) {
      spdlog::warn("cannot accept a connection: {}", ec.message());
      co_await sleep_for(executor(), std::chrono::milliseconds{100});  // out of descriptors, say
    } else if (connections_ >= limit) {
      reject(std::move(socket), world_.ids->next_hex128());
    } else {
      start_session(*this, std::move(socket));
    }
  }
}

task<bool> worker::store_ready() {
  const auto& ledger = *world_.ledger;
  if (ledger.ready()) co_return true;
  constexpr std::chrono::milliseconds step{10};
  for (auto left = runtime_->settings().store.wait; left.count() > 0; left -= step) {
    co_await sleep_for(executor(), step);
    if (ledger.ready()) co_return true;
  }
  co_return false;
}

void worker::connection_opened() {
  ++connections_;
  counts_.connections_total.increment();
}

void worker::exchange_finished(const exchange_record& record, const runtime& runtime) {
  --in_flight_;
  count(record, runtime);
  log_.write(record, world_.clock->now());
}

void worker::count(const exchange_record& record, const runtime& runtime) {
  const auto& bound = runtime.metrics;
  auto& route =
      record.route == exchange_record::no_route ? *bound.no_route : *bound.routes[record.route];
  route.request(record.status, record.end).increment();
  if (record.refusal) route.refusals[*record.refusal].increment();
  counts_.overhead.observe(std::chrono::microseconds{record.overhead_us});
  if (!record.held) return;
  if (record.beyond_balance) route.beyond_balance.increment();
  if (record.unmeasurable) route.unmeasurable_audio.increment();
  route.credits->held_micro.add(record.estimate.micro());
  if (record.settles) {
    route.credits->settled_micro.add(record.charged.micro());
    const auto rest = record.estimate + record.extended - record.charged;
    route.credits->released_micro.add(std::max(rest, quota::credits{}).micro());
  } else {
    route.credits->voided_micro.add((record.estimate + record.extended).micro());
  }
  if (record.extended > quota::credits{})
    route.credits->extended_micro.add(record.extended.micro());
  if (record.upstream_us > 0) {
    bound.upstreams[runtime.upstream_of_route[record.route]]->response_head.observe(
        std::chrono::microseconds{record.upstream_us});
  }
}

void worker::copy_gauges() {
  counts_.connections.set(connections_);
  const auto streams = static_cast<std::int64_t>(events_.streams());
  counts_.event_streams.set(streams);
  counts_.in_flight.set(std::max<std::int64_t>(in_flight_ - streams, 0));
  counts_.pending_settlements.set(static_cast<std::int64_t>(settlement_.resolving()));
  auto& store = counts_.store;
  const auto& redis = redis_->counted();
  store.ready.set(world_.ledger->ready() ? 1 : 0);
  store.connects.copy(static_cast<std::int64_t>(redis.connects));
  store.commands.copy(static_cast<std::int64_t>(redis.commands));
  store.writes.copy(static_cast<std::int64_t>(redis.writes));
  store.bytes_out.copy(static_cast<std::int64_t>(redis.bytes_out));
  store.bytes_in.copy(static_cast<std::int64_t>(redis.bytes_in));
  store.failures.copy(static_cast<std::int64_t>(settlement_.counted().retries));
  for (std::size_t i = 0; i < runtime_->pools.size(); ++i) {
    auto& upstream = *runtime_->metrics.upstreams[i];
    upstream.idle.set(static_cast<std::int64_t>(runtime_->pools[i]->idle()));
  }
}

// Everything that is done by the clock: deadlines, renewals, logs, gauges.
task<> worker::tick() {
  timer next{executor()};
  auto prune_at = std::chrono::steady_clock::now();
  for (;;) {
    next.expires_after(deadline_list::tick_every);
    error_code ec;
    co_await next.async_wait(asio::redirect_error(use_task, ec));
    const auto now = std::chrono::steady_clock::now();
    deadlines_.tick(now);
    settlement_.tick(now);
    log_.flush();
    if (now >= prune_at) {
      prune_at = now + std::chrono::seconds{1};
      keys_.prune(now);
      for (auto& pool : runtime_->pools) pool->prune();
    }
    copy_gauges();
    if (draining_ && connections_ == 0 && settlement_.pending() == 0) break;
  }
  redis_->stop();
  context_.stop();
}

// Does what the clock says of accounts that are not in use: holds that other sidecars left behind
// when they died, grants and cycles that end, top-ups that nobody delivers. Accounts that are in
// use do all but the last by themselves.
task<> worker::sweep() {
  // What the store's clock did before this began is not known: the first round takes it for set
  // back.
  std::optional<std::uint64_t> times_set_back;
  while (!draining_) {
    co_await sleep_for(executor(), runtime_->settings().holds.sweep_every);
    // Time is the store's, and a thread that has no calls hears nothing of it by the way.
    const auto known = co_await redis_->ask_time();
    if (!known) continue;
    const auto heard = redis_->times_set_back();
    const bool set_back = times_set_back != heard;
    bool complete = true;
    std::string after;
    while (world_.ledger->ready()) {
      const auto page = co_await world_.directory->list(after, 100);
      if (!page) complete = false;
      if (!page || page->empty()) break;
      for (const auto& organization : *page) {
        const bool swept = co_await sweep_account(organization.id, set_back);
        complete = complete && swept;
        if (!swept) break;
      }
      after = page->back().id;
    }
    if (complete && world_.ledger->ready()) times_set_back = heard;
  }
}

// False: the store is away. A clock that was set back gives the holds of whoever is gone as much
// longer: so none is left with more than the timeout that it could have been renewed with.
task<bool> worker::sweep_account(const quota::org_id& org, bool clock_set_back) {
  auto& ledger = *world_.ledger;
  const auto pending = co_await ledger.pending(org);
  if (!pending) co_return false;
  const bool shorten = clock_set_back && pending->holds > 0;
  if (shorten || (pending->due && *pending->due <= ledger.now())) {
    quota::expire_holds what;
    if (shorten) what.at_most = runtime_->settings().holds.timeout;
    const quota::operation sweep{what};
    const auto swept = co_await ledger.apply(org, sweep);
    if (swept) counts_.expired_holds_micro.add(swept->amount.micro());
  }
  if (!pending->open_top_ups.empty() && on_top_up_) on_top_up_(org);
  co_return true;
}

}  // namespace tollgate::proxy
