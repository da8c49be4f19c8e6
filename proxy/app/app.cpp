#include "proxy/app/app.hpp"

#include <csignal>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "config/load.hpp"
#include "proxy/admin/propagate_plan_terms.hpp"
#include "proxy/admin/server.hpp"
#include "proxy/app/registry.hpp"
#include "proxy/archive/archived_store.hpp"
#include "proxy/archive/archiver.hpp"
#include "proxy/gateway/journal/replay.hpp"
#include "proxy/gateway/worker.hpp"
#include "proxy/payments/event_listener.hpp"
#include "proxy/payments/top_up_dispatcher.hpp"
#include "proxy/webhooks/webhook_dispatcher.hpp"
#include "quota/redis/directory.hpp"
#include "quota/redis/embedded_server.hpp"
#include "quota/redis/payment_store.hpp"
#include "quota/redis/retention.hpp"
#include "quota/redis/store.hpp"
#include "quota/redis/store_schema.hpp"
#include "quota/redis/store_url.hpp"
#include "quota/redis/webhook_store.hpp"

namespace tollgate::proxy {

namespace {

using configuration_ptr = std::shared_ptr<const config::configuration>;

void set_up_logging(const std::string& level) {
  auto logger = spdlog::get("tollgate");
  if (!logger) {
    logger = spdlog::stderr_logger_mt("tollgate");
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    spdlog::set_default_logger(logger);
  }
  spdlog::set_level(spdlog::level::from_str(level));
}

// As many connections as the system allows: two descriptors a call.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::optional<configuration_ptr> load(const std::string& file) {
  auto loaded = config::load_file(file, config::process_environment());
  if (auto* fine = std::get_if<config::configuration>(&loaded)) {
    for (const auto& warning : fine->warnings) spdlog::warn("{}", config::warning_text(warning));
    return std::make_shared<const config::configuration>(std::move(*fine));
  }
  for (const auto& error : std::get<std::vector<config::config_error>>(loaded)) {
    spdlog::error("{}", config::to_string(error));
  }
  return {};
}

// What each worker opens for itself. A reload that cannot have it is refused before any of them
// takes part.
void try_files(const config::settings& settings) {
  for (const auto& upstream : settings.upstreams) make_upstream_tls(upstream);
  access_log{settings.log.access};
}

// Without the line in Asio's headers that a system_error adds.
std::string message_of(const std::exception& error) {
  const std::string text = error.what();
  const bool has_place = dynamic_cast<const boost::system::system_error*>(&error) != nullptr;
  return has_place ? text.substr(0, text.find(" [")) : text;
}

std::shared_ptr<asio::ssl::context> server_tls(const config::settings& settings) {
  return settings.tls ? make_server_tls(*settings.tls) : nullptr;
}

class app {
 public:
  explicit app(std::string file) : file_{std::move(file)} {}

  int run() {
    set_up_logging("info");
    auto loaded = load(file_);
    if (!loaded) return 1;
    take_over(*loaded);
    raise_descriptor_limit();
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk
    try {
      start();
      serve();
    } catch (const std::exception& error) {
      spdlog::error("{}: {}", serving_ ? "stopped by an error" : "cannot start", message_of(error));
      exit_code_ = 1;
    }
    end();
    return exit_code_;
  }

 private:
  const config::settings& settings() const { return current_->values; }

  void take_over(configuration_ptr loaded) {
    current_ = std::move(loaded);
    set_up_logging(settings().log.level);
    metrics_.process.configuration_loaded_at_ms =
        quota::system_clock{}.now().time_since_epoch().count();
  }

  // Each step may throw; `end` undoes those that were taken. The data listener is the last one to
  // be opened: a second Tollgate of the same configuration would take connections from the first
  // one there.
  void start() {
    open_journal();
    const auto store = open_store();
    if (!settings().metering) spdlog::warn("metering is off: nothing is reserved or charged");
    auto endpoint = payments::make_payment_endpoint(settings().payments);
    auto sender = std::make_shared<webhooks::sender>(settings().webhooks, &webhook_names_);
    const auto tls = server_tls(settings());
    start_archive(store);
    connect_admin(store);
    start_webhook_dispatcher(std::move(sender));
    start_admin();
    start_top_up_dispatcher(std::move(endpoint));
    make_workers(store, tls);
    replay_journal();
    const auto waiting = [](app& self) -> task<> { co_await self.handle_signals(); };
    asio::co_spawn(control_, waiting(*this), asio::detached);
    for (auto& worker : workers_) worker->start();
  }

  void serve() {
    finisher_ = std::thread{[this] {
      for (auto& worker : workers_) worker->join();
      asio::post(control_, [this] { end_control(); });
    }};
    serving_ = true;
    spdlog::info("tollgate {} serves {} with {} threads, admin on {}", TOLLGATE_VERSION,
                 to_text(workers_.front()->local_endpoint()), workers_.size(),
                 to_text(admin_->local_endpoint()));
    control_.run();
  }

  // After a start that failed half way, too. The stores and the admin listener go before the
  // embedded server, which stops last.
  void end() {
    for (auto& worker : workers_) worker->stop();  // most have ended by themselves
    if (finisher_.joinable()) finisher_.join();
    for (auto& worker : workers_) worker->join();
    archiver_.reset();
    admin_.reset();
    event_listener_.reset();
    archive_reader_.reset();  // whoever waits for it gets no answer now
    admin_history_.reset();
    admin_retention_.reset();
    admin_webhooks_.reset();
    admin_directory_.reset();
    admin_ledger_.reset();
    admin_redis_.reset();  // last of them: the stores know it
    receiver_.reset();
    top_up_dispatcher_.reset();  // whoever waits for an answer gets none from it now
    webhook_dispatcher_.reset();
    workers_.clear();
    keeper_.reset();
    if (embedded_) embedded_->stop();
    if (serving_) spdlog::info("stopped");
  }

  // One that is reachable and of a schema that this version does not know is not served from.
  quota::redis::address open_store() {
    auto where = find_store();
    const auto refused = quota::redis::why_refused(where, std::chrono::milliseconds{300});
    if (!refused.empty()) throw std::runtime_error{"store: " + refused};
    return where;
  }

  quota::redis::address find_store() {
    const auto url = quota::redis::parse_store_url(settings().store.url);
    if (!url) throw std::runtime_error{"store: " + url.error()};
    if (!url->is_embedded()) return url->where;
    quota::redis::embedded_options options;
    options.on_event = [](const std::string& event) { spdlog::warn("embedded store: {}", event); };
    embedded_.emplace(url->directory, std::move(options));
    auto started = embedded_->start();
    if (!started) throw std::runtime_error{"store: " + started.error().message};
    return *std::move(started);
  }

  // It may be away: calls are not its business.
  void start_archive(const quota::redis::address& store) {
    const auto& archive = settings().archive;
    archiver_ = std::make_unique<archive::archiver>(store, archive::make_archive(archive),
                                                    settings().retention, metrics_.archive);
    if (archive.kind == config::archive_kind::postgresql) {
      archive_reader_ = std::make_unique<archive::archive_reader>(archive.url);
    }
  }

  int worker_count() const {
    if (settings().threads > 0) return settings().threads;
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }

  void open_journal() {
    if (!settings().metering) return;
    if (settings().journal.directory.empty()) {
      spdlog::info(
          "there is no journal: calls that are not settled when this process is killed are not "
          "charged");
      return;
    }
    keeper_ = std::make_unique<journal::keeper>(settings().journal, worker_count());
    journal_left_ = journal::read_journal(keeper_->left_behind());
    for (const auto& each : journal_left_.damaged) spdlog::error("journal: DAMAGED: {}", each);
    for (const auto& each : journal_left_.torn)
      spdlog::warn("journal: an unfinished last record: {}", each);
  }

  // Beside the calls, as soon as the store is there. What is not confirmed when this process ends,
  // too, stays where it is.
  void replay_journal() {
    if (journal_left_.files.empty()) return;
    spdlog::info("journal {}: {} calls of an earlier process are to be settled",
                 settings().journal.directory, journal_left_.charges.size());
    replay_ = std::make_unique<journal::replay>(control_.get_executor(), *admin_ledger_);
    const auto replaying = [](app& self) -> task<> {
      const auto report = co_await self.replay_->run(self.journal_left_);
      if (!report.complete) co_return;
      journal::remove_replayed(self.journal_left_);
      spdlog::info("journal {}: {}", self.settings().journal.directory, journal::to_string(report));
    };
    asio::co_spawn(control_, replaying(*this), asio::detached);
  }

  void make_workers(const quota::redis::address& store,
                    const std::shared_ptr<asio::ssl::context>& tls) {
    auto where = to_tcp(settings().listen);
    for (int i = 0; i < worker_count(); ++i) {
      workers_.push_back(
          std::make_unique<worker>(store, current_, tls, where, metrics_.add_thread(), i));
      if (archive_reader_) workers_.back()->read_history_from(*archive_reader_);
      if (keeper_) workers_.back()->keep_journal(*keeper_);
      workers_.back()->on_top_up([this](const quota::org_id& org) {
        asio::post(control_, [this, org] { top_up_dispatcher_->visit(org); });
      });
      workers_.back()->take_payment_events([this](payments::event_delivery what) {
        return take_on_control_thread(std::move(what));
      });
      workers_.back()->on_event([this](const quota::org_id& org) {
        asio::post(control_, [this, org] { webhook_dispatcher_->visit(org); });
      });
      where.port(workers_.front()->local_endpoint().port());  // where the configuration says 0
    }
  }

  // Of a worker, which goes on when it has the answer.
  task<admin::api_response> take_on_control_thread(payments::event_delivery what) {
    auto taking = [this, what = std::move(what)]() mutable -> task<admin::api_response> {
      co_return co_await receiver_->take(std::move(what));
    };
    co_return co_await asio::co_spawn(control_, std::move(taking), use_task);
  }

  void connect_admin(const quota::redis::address& store) {
    quota::redis::connection_options options;
    options.on_refusal = [](const std::string& why) { spdlog::error("store: {}", why); };
    admin_redis_ = quota::redis::make_store_connection(control_, store, std::move(options));
    admin_ledger_ = std::make_unique<quota::redis::redis_store>(*admin_redis_);
    payments_ = std::make_unique<quota::redis::redis_payment_store>(*admin_redis_);
    admin_directory_ = std::make_unique<quota::redis::redis_directory>(*admin_redis_);
    admin_webhooks_ = std::make_unique<quota::redis::redis_webhook_store>(*admin_redis_);
    admin_redis_->start();
    if (archive_reader_) {
      admin_retention_ = std::make_unique<quota::redis::redis_retention>(*admin_redis_);
      admin_history_ = std::make_unique<archive::archived_store>(*admin_ledger_, *admin_retention_,
                                                                 *archive_reader_);
    }
  }

  void start_admin() {
    admin::server_options options{.services = {history(), *admin_directory_, *admin_webhooks_,
                                               *webhook_dispatcher_, [this] { return current_; }},
                                  .ready =
                                      [this] {
                                        return admin::readiness{all_stores_ready(), draining_};
                                      },
                                  .metrics =
                                      [this] {
                                        if (keeper_)
                                          metrics_.process.journal_unwritten = keeper_->unwritten();
                                        return metrics_.collect();
                                      },
                                  .limits = {}};
    admin_ = std::make_unique<admin::server>(control_, settings().admin.listen, std::move(options));
    admin_->start();
    propagate_plan_terms();
  }

  quota::ledger_store& history() {
    if (admin_history_) return *admin_history_;
    return *admin_ledger_;
  }

  // As soon as the store is there, and one after the other: the last configuration has the last
  // word.
  void propagate_plan_terms() {
    terms_wait_ = true;
    if (handing_on_terms_) return;
    handing_on_terms_ = true;
    const auto handing_on = [](app& self) -> task<> {
      asio::steady_timer timer{self.control_};
      while (self.terms_wait_) {
        timer.expires_after(std::chrono::milliseconds{100});
        co_await timer.async_wait(asio::use_awaitable_t<io_executor>{});
        if (!self.admin_ledger_->ready()) continue;
        self.terms_wait_ = false;
        co_await admin::propagate_plan_terms(*self.admin_ledger_, *self.admin_directory_,
                                             self.current_);
      }
      self.handing_on_terms_ = false;
    };
    asio::co_spawn(control_, handing_on(*this), asio::detached);
  }

  void start_top_up_dispatcher(std::shared_ptr<payments::payment_endpoint> endpoint) {
    top_up_dispatcher_ = std::make_unique<payments::top_up_dispatcher>(
        control_, *admin_ledger_, *payments_, *admin_directory_, metrics_.payments);
    top_up_dispatcher_->use(endpoint);
    receiver_ = std::make_unique<payments::event_receiver>(
        *admin_ledger_, *payments_, *admin_directory_, clock_, metrics_.payments);
    receiver_->use(std::move(endpoint));
    start_event_listener();
    admin_ledger_->on_top_up([this](const quota::org_id& org) { top_up_dispatcher_->visit(org); });
  }

  void start_event_listener() {
    const auto& events = settings().payments.events;
    if (!events.listen) return;
    event_listener_ = std::make_unique<payments::event_listener>(
        control_, *events.listen,
        [this](payments::event_delivery what) { return receiver_->take(std::move(what)); });
    event_listener_->start();
    spdlog::info("Stripe's events on {}", to_text(event_listener_->local_endpoint()));
  }

  void start_webhook_dispatcher(std::shared_ptr<webhooks::sender> sender) {
    webhook_dispatcher_ = std::make_unique<webhooks::webhook_dispatcher>(
        control_, *admin_ledger_, *admin_webhooks_, metrics_.webhooks);
    webhook_dispatcher_->use(std::move(sender));
    webhook_dispatcher_->start(settings().holds.sweep_every);
    admin_ledger_->on_event([this](const quota::org_id& org) { webhook_dispatcher_->visit(org); });
  }

  bool all_stores_ready() const {
    for (const auto& worker : workers_) {
      if (worker->counts().store.ready.read() != 1) return false;
    }
    return admin_ledger_->ready();
  }

  task<> handle_signals() {
    asio::basic_signal_set<io_executor> signals{control_.get_executor(), SIGTERM, SIGINT, SIGHUP};
    for (;;) {
      const int signal = co_await signals.async_wait(use_task);
      if (signal == SIGHUP) {
        reload();
      } else if (!draining_) {
        drain();
      } else {
        spdlog::warn("told to stop again: ending every connection now");
        for (auto& worker : workers_) worker->cut();
      }
    }
  }

  void reload() {
    auto loaded = load(file_);
    metrics_.process.reloads++;
    try {
      if (!loaded) throw std::runtime_error{"it has the errors above"};
      const auto tls = server_tls((*loaded)->values);
      try_files((*loaded)->values);
      auto endpoint = payments::make_payment_endpoint((*loaded)->values.payments);
      auto sender = std::make_shared<webhooks::sender>((*loaded)->values.webhooks, &webhook_names_);
      warn_of_what_needs_a_restart((*loaded)->values);
      for (auto& worker : workers_) worker->reload(*loaded, tls);
      top_up_dispatcher_->use(endpoint);
      receiver_->use(std::move(endpoint));
      webhook_dispatcher_->use(std::move(sender));
      take_over(*loaded);
      propagate_plan_terms();
      metrics_.process.reload_succeeded = true;
      spdlog::info("{} is in force", file_);
    } catch (const std::exception& error) {
      metrics_.process.reload_succeeded = false;
      metrics_.process.reload_failures++;
      spdlog::error("RELOAD FAILED, the old configuration stays in force: {}: {}", file_,
                    message_of(error));
    }
  }

  void warn_of_what_needs_a_restart(const config::settings& next) const {
    const auto warn = [](std::string_view key) {
      spdlog::warn("a change of `{}` takes effect only after a restart", key);
    };
    const auto& now = settings();
    const auto differ = [](const config::endpoint& a, const config::endpoint& b) {
      return a.host != b.host || a.port != b.port;
    };
    if (differ(now.listen, next.listen)) warn("listen");
    if (differ(now.admin.listen, next.admin.listen)) warn("admin.listen");
    if (now.store.url != next.store.url) warn("store");
    if (now.journal != next.journal) warn("journal");
    if (now.archive != next.archive) warn("archive");
    if (now.retention != next.retention) warn("retention");
    if (now.threads != next.threads) warn("threads");
    const auto &own = now.payments.events.listen, &wanted = next.payments.events.listen;
    if (own.has_value() != wanted.has_value() || (own && differ(*own, *wanted))) {
      warn("payments.stripe.listen");
    }
    if (now.tls.has_value() != next.tls.has_value()) warn("tls");
  }

  // The workers have ended. What is being delivered gets the rest of its time.
  void end_control() {
    webhook_dispatcher_->stop();
    const auto ending = [](app& self) -> task<> {
      co_await self.webhook_dispatcher_->end_deliveries();
      self.control_.stop();
    };
    asio::co_spawn(control_, ending(*this), asio::detached);
  }

  void drain() {
    draining_ = true;
    metrics_.process.draining = true;
    spdlog::info("draining: no new connections, {} s for what is under way",
                 settings().timeouts.drain.count() / 1000);
    top_up_dispatcher_->stop();
    webhook_dispatcher_->stop();
    if (replay_) replay_->stop();
    if (event_listener_) event_listener_->stop();
    admin_->end_streams();
    if (archive_reader_) archive_reader_->close();
    for (auto& worker : workers_) worker->drain();
    const auto limiting = [](app& self) -> task<> { co_await self.limit_draining(); };
    asio::co_spawn(control_, limiting(*this), asio::detached);
  }

  // First the rest of the connections are ended, which settles or voids what they hold; if the
  // store is away for longer than that too, the journal has what is left.
  task<> limit_draining() {
    asio::steady_timer timer{control_};
    timer.expires_after(settings().timeouts.drain);
    co_await timer.async_wait(asio::use_awaitable_t<io_executor>{});
    spdlog::warn("draining took too long: ending every connection");
    for (auto& worker : workers_) worker->cut();
    timer.expires_after(std::chrono::seconds{10});
    co_await timer.async_wait(asio::use_awaitable_t<io_executor>{});
    std::int64_t left = 0;
    for (const auto& worker : workers_) left += worker->counts().pending_settlements.read();
    if (keeper_) {
      spdlog::error(
          "the ledger did not confirm {} settlements; they are in the journal {}, and are settled "
          "at the next "
          "start or by `tollgate journal replay`",
          left, settings().journal.directory);
    } else {
      spdlog::error(
          "the ledger did not confirm {} settlements, and there is no journal; their holds will "
          "expire",
          left);
    }
    exit_code_ = 1;
    for (auto& worker : workers_) worker->stop();
  }

  const std::string file_;
  configuration_ptr current_;
  std::optional<quota::redis::embedded_server> embedded_;
  metrics::registry metrics_;
  std::unique_ptr<journal::keeper> keeper_;
  journal::contents journal_left_;  // by an earlier process
  std::unique_ptr<journal::replay> replay_;
  quota::system_clock clock_;
  asio::io_context control_{1};
  outbound::name_resolver webhook_names_{32};  // theirs alone: payments do not wait for them
  std::vector<std::unique_ptr<worker>> workers_;
  std::thread finisher_;  // waits for them
  std::unique_ptr<payments::top_up_dispatcher> top_up_dispatcher_;
  std::unique_ptr<payments::event_receiver> receiver_;
  std::unique_ptr<payments::event_listener> event_listener_;  // where it has an address of its own
  std::unique_ptr<webhooks::webhook_dispatcher> webhook_dispatcher_;
  std::unique_ptr<archive::archiver> archiver_;
  std::unique_ptr<archive::archive_reader> archive_reader_;  // where there is one to be read
  std::unique_ptr<quota::redis::connection> admin_redis_;
  std::unique_ptr<quota::redis::redis_store> admin_ledger_;
  std::unique_ptr<quota::redis::redis_payment_store> payments_;
  std::unique_ptr<quota::redis::redis_directory> admin_directory_;
  std::unique_ptr<quota::redis::redis_webhook_store> admin_webhooks_;
  std::unique_ptr<quota::redis::redis_retention> admin_retention_;
  std::unique_ptr<archive::archived_store> admin_history_;  // the ledger, and the archive behind it
  std::unique_ptr<admin::server> admin_;
  bool terms_wait_ = false, handing_on_terms_ = false;
  bool serving_ = false, draining_ = false;
  int exit_code_ = 0;
};

}  // namespace

int run(const std::string& config_file) {
  return app{config_file}.run();
}

}  // namespace tollgate::proxy
