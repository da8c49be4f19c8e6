#include "proxy/app/app.hpp"

#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "config/load.hpp"
#include "proxy/account/report_memory.hpp"
#include "proxy/app/control_plane.hpp"
#include "proxy/app/data_plane.hpp"
#include "proxy/app/descriptors.hpp"
#include "proxy/app/hardening.hpp"
#include "proxy/app/journal_owner.hpp"
#include "proxy/app/memory.hpp"
#include "proxy/app/running_store.hpp"
#include "proxy/app/trial.hpp"
#include "proxy/archive/archive_thread.hpp"
#include "proxy/archive/archived_history.hpp"
#include "proxy/net/sleep.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy {

namespace {

using configuration_ptr = std::shared_ptr<const config::configuration>;

// A message is one line, whatever it quotes: a database's error may have several, and other text is
// the caller's.
class message_on_one_line final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const auto text = routes::one_line({message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<message_on_one_line>();
  }
};

void set_up_logging(const std::string& level) {
  auto logger = spdlog::get("tollgate");
  if (!logger) {
    logger = spdlog::stderr_logger_mt("tollgate");
    auto format = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    format->add_flag<message_on_one_line>('v').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v");
    logger->set_formatter(std::move(format));
    spdlog::set_default_logger(logger);
  }
  spdlog::set_level(spdlog::level::from_str(level));
}

int worker_count(const config::settings& settings) {
  if (settings.threads > 0) return settings.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Each problem at the position of its key in the file.
std::string at_its_key(const std::string& file, const config::setting_error& error) {
  return config::to_string(config::error_at(file, error.key, error.what()));
}

std::optional<configuration_ptr> load(const std::string& file, std::size_t descriptors) {
  auto loaded = config::load_file(file, config::process_environment());
  if (auto* fine = std::get_if<config::configuration>(&loaded)) {
    fit_to_memory(fine->values);
    for (const auto& warning : fine->warnings) spdlog::warn("{}", config::warning_text(warning));
    for (const auto& each : find_doubtful(fine->values)) {
      spdlog::warn("{}", at_its_key(file, each));
    }
    const auto few = fit_to(descriptors, worker_count(fine->values), fine->values);
    if (!few.empty()) spdlog::warn("{}", few);
    return std::make_shared<const config::configuration>(std::move(*fine));
  }
  for (const auto& error : std::get<std::vector<config::config_error>>(loaded)) {
    spdlog::error("{}", config::to_string(error));
  }
  return {};
}

// With its key and the key's position, if it is known. Omits the source location in Asio's headers
// that a system_error adds.
std::string message_of(const std::string& file, const std::exception& error) {
  if (const auto* setting = dynamic_cast<const config::setting_error*>(&error)) {
    return at_its_key(file, *setting);
  }
  const std::string text = error.what();
  const bool has_place = dynamic_cast<const boost::system::system_error*>(&error) != nullptr;
  return has_place ? text.substr(0, text.find(" [")) : text;
}

// Warns of changed settings that take effect only at a start.
void warn_of_what_needs_a_restart(const config::settings& now, const config::settings& next,
                                  bool has_journal) {
  const auto warn = [](std::string_view key) {
    spdlog::warn("a change of `{}` takes effect only after a restart", key);
  };
  const config::endpoint &own = now.listen, &wanted = next.listen;
  if (own != wanted || now.listen.mode != next.listen.mode) warn("listen");
  if (now.admin.listen != next.admin.listen) warn("admin.listen");
  if (now.metrics.listen != next.metrics.listen) warn("metrics.listen");
  if (now.hardening != next.hardening) warn("hardening");
  if (now.store.url != next.store.url || now.store.timeout != next.store.timeout ||
      now.store.report_timeout != next.store.report_timeout) {
    warn("store");
  }
  if (now.journal != next.journal) {
    warn("journal");
  } else if (next.metering && !has_journal && !next.journal.directory.empty()) {
    spdlog::warn("metering was off at the start: there is no journal until a restart");
  }
  if (now.archive != next.archive) warn("archive");
  if (now.retention != next.retention) warn("retention");
  if (now.threads != next.threads) warn("threads");
  if (now.critical.terms != next.critical.terms) warn("critical");
  if (now.payments.events.listen != next.payments.events.listen) warn("payments.stripe.listen");
  if (now.tls.has_value() != next.tls.has_value()) warn("tls");
}

// A signal that comes before the loop runs waits for it. Without this object it ends the process.
struct signal_queues {
  explicit signal_queues(const io_executor& executor) : reload{executor, SIGHUP}, stop{executor} {}

  // Not before the configuration is read: that may wait, for example for the writer of a FIFO.
  void take_stops() {
    stop.add(SIGTERM);
    stop.add(SIGINT);
  }

  asio::basic_signal_set<io_executor> reload, stop;
};

class app {
 public:
  explicit app(std::string file) : file_{std::move(file)} {}

  int run() {
    set_up_logging("info");
    try {
      if (!prepare()) return 1;
      start();
      serve();
    } catch (const std::exception& error) {
      note_end(error);
    }
    end();
    return exit_code_;
  }

 private:
  enum class phase { starting, told_to_stop, serving, draining };

  const config::settings& settings() const { return current_->values; }

  // False: the configuration is invalid, and that has been logged.
  bool prepare() {
    descriptors_ = raise_descriptor_limit();
    signals_.emplace(control_.get_executor());
    auto loaded = load(file_, descriptors_);
    if (!loaded) return false;
    take_over(*loaded);
    signals_->take_stops();
    const auto stopping = [](app& self) -> task<> { co_await self.stop_when_told(); };
    asio::co_spawn(control_, stopping(*this), asio::detached);
    const auto unfiltered = give_up_privileges(settings().hardening);
    if (!unfiltered.empty()) spdlog::warn("system calls are not filtered: {}", unfiltered);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // exceeding a file size limit becomes an error like a full disk
    return true;
  }

  // An error ended the start, or the process.
  void note_end(const std::exception& error) {
    const auto message = message_of(file_, error);
    if (phase_ == phase::told_to_stop) {
      spdlog::info("stopped before it served: {}", message);
      return;
    }
    const bool has_served = phase_ != phase::starting;
    spdlog::error("{}: {}", has_served ? "stopped by an error" : "cannot start", message);
    exit_code_ = 1;
  }

  void take_over(configuration_ptr loaded) {
    current_ = std::move(loaded);
    set_up_logging(settings().log.level);
    bound_memory(settings().limits);
    metrics_.process.metering = settings().metering;
    metrics_.process.configuration_loaded_at_ms =
        quota::system_clock{}.now().time_since_epoch().count();
  }

  // Each step may throw; `end` undoes the steps that were taken. The data listener is opened last:
  // a second Tollgate with the same configuration would take connections from the first one.
  void start() {
    using config::using_setting;
    try_files(settings());
    using_setting("journal", [this] { journal_.open(settings(), worker_count(settings())); });
    using_setting("store", [this] { open_store(); });
    auto deliveries = control_plane_.make_deliveries(settings());
    const auto tls = server_tls(settings());
    const bool files = settings().archive.kind == config::archive_kind::files;
    using_setting(files ? "archive.files" : "archive", [this] { start_archive(); });
    auto store = store_->opener(store_options())(control_);
    auto archived = archived_history_of(*store);
    control_plane_.open(std::move(store), std::move(archived));
    control_plane_.start(
        current_, std::move(deliveries),
        {.pages = {[this] { return readiness(); }, [this] { return collect_metrics(); }},
         .shares = share_descriptors(descriptors_, worker_count(settings()), settings())});
    open_data_plane(tls);
    journal_.replay(control_, control_plane_.store());
    const auto reloading = [](app& self) -> task<> { co_await self.reload_when_told(); };
    asio::co_spawn(control_, reloading(*this), asio::detached);
    data_plane_.start();
  }

  // The only step that may take minutes: an embedded store reads its file. No other step has given
  // the loop anything to do yet.
  void open_store() {
    const auto gives_up = [this] {
      control_.poll();
      return phase_ == phase::told_to_stop;
    };
    store_.emplace(settings().store, gives_up);
    if (gives_up()) throw std::runtime_error{"told to stop"};
  }

  void serve() {
    finisher_ = std::thread{[this] {
      data_plane_.join();
      asio::post(control_, [this] { end_control(); });
    }};
    phase_ = phase::serving;
    spdlog::info(
        "tollgate {} serves {} with {} threads, up to {} connections ({} descriptors), "
        "admin on {}",
        TOLLGATE_VERSION, data_plane_.address(), data_plane_.size(), settings().limits.connections,
        descriptors_, to_text(control_plane_.admin_endpoint()));
    control_.run();
  }

  // Also called after a start that failed half way. The stores and the admin listener are closed
  // before the embedded server, which stops last.
  void end() {
    data_plane_.stop();  // most workers have already ended
    if (finisher_.joinable()) finisher_.join();
    data_plane_.join();
    archive_thread_.reset();
    archive_reader_.reset();  // drops its open requests
    control_plane_.close();
    data_plane_.workers().clear();
    journal_.close();
    if (store_) store_->stop();
    if (phase_ != phase::starting) spdlog::info("stopped");
  }

  quota::redis::store_options store_options() const {
    const auto& holds = settings().holds;
    quota::redis::store_options options;
    options.pack_idle_totals = settings().retention.idle_totals;
    options.critical = settings().critical.terms;
    options.memory = &admin::report_memory::shared();
    options.look_after =
        std::min({3 * holds.sweep_every, holds.timeout, quota::redis::default_look_after});
    return options;
  }

  // The archive may be unavailable: calls do not depend on it.
  void start_archive() {
    const auto& archive = settings().archive;
    archive_thread_.emplace(store_->opener(), archive::make_archive(archive), settings().retention,
                            metrics_.archive);
    if (archive.kind == config::archive_kind::postgresql) archive_reader_.emplace(archive.url);
  }

  std::unique_ptr<quota::account_history> archived_history_of(quota::store& store) {
    if (!archive_reader_) return nullptr;
    return std::make_unique<archive::archived_history>(store.history(), store.retention(),
                                                       *archive_reader_);
  }

  void open_data_plane(const std::shared_ptr<asio::ssl::context>& tls) {
    const auto billing = std::make_shared<admin::billing_limits>();
    const auto background = std::make_shared<background_thread>();
    const auto open = [this, billing, background,
                       opener = store_->opener(store_options())](asio::io_context& context) {
      dependencies made{.store = opener(context), .archived = nullptr, .background = background};
      made.billing = billing;
      made.archived = archived_history_of(*made.store);
      return made;
    };
    data_plane_.open(worker_count(settings()), open, {current_, tls, {}}, metrics_);
    const auto visit_top_ups = [this](const auto& org) { control_plane_.visit_top_ups(org); };
    const auto visit_events = [this](const auto& org) { control_plane_.visit_events(org); };
    for (std::size_t i = 0; i < data_plane_.size(); ++i) {
      auto& worker = *data_plane_.workers()[i];
      if (journal_.keeper() != nullptr)
        worker.keep_journal(*journal_.keeper(), static_cast<int>(i));
      if (i == 0) worker.sweep_accounts(visit_top_ups, visit_events);
      worker.world().ledger().on_top_up(visit_top_ups);
      worker.world().ledger().on_event(visit_events);
      worker.take_payment_events([this](payments::event_delivery event) {
        return control_plane_.take_payment_event(std::move(event));
      });
    }
  }

  admin::readiness readiness() {
    auto met = data_plane_.store_trouble();
    if (met == quota::store_trouble::none) met = control_plane_.store().state().trouble;
    if (met == quota::store_trouble::none) met = control_plane_.terms_trouble();
    return {met, phase_ == phase::draining, control_plane_.unconfirmed_plans(),
            control_plane_.plan_terms_pending()};
  }

  std::vector<prometheus::MetricFamily> collect_metrics() {
    metrics_.process.unconfirmed_plans =
        static_cast<std::int64_t>(control_plane_.unconfirmed_plans().size());
    metrics_.process.plan_terms_pending = control_plane_.plan_terms_pending();
    if (journal_.keeper() != nullptr) {
      metrics_.process.journal_unwritten = journal_.keeper()->unwritten();
    }
    return metrics_.collect();
  }

  task<> stop_when_told() {
    for (;;) {
      co_await signals_->stop.async_wait(use_task);
      if (phase_ == phase::starting) {
        phase_ = phase::told_to_stop;
      } else if (phase_ == phase::serving) {
        drain();
      } else if (phase_ == phase::draining) {
        spdlog::warn("told to stop again: ending every connection now");
        data_plane_.cut();
      }
    }
  }

  task<> reload_when_told() {
    for (;;) {
      co_await signals_->reload.async_wait(use_task);
      reload();
    }
  }

  // Reading a FIFO or a terminal may wait for ever, and with it the admin API. At a start that is
  // the caller's choice.
  bool may_block() const {
    std::error_code ec;
    const auto file = std::filesystem::status(file_, ec);
    return std::filesystem::exists(file) && !std::filesystem::is_regular_file(file) &&
           !std::filesystem::is_directory(file);
  }

  void reload() {
    metrics_.process.reloads++;
    try {
      if (may_block()) throw std::runtime_error{file_ + ": it is not a regular file"};
      auto loaded = load(file_, descriptors_);
      if (!loaded) throw std::runtime_error{file_ + ": it has the errors above"};
      const auto tls = server_tls((*loaded)->values);
      try_files((*loaded)->values);
      auto deliveries = control_plane_.make_deliveries((*loaded)->values);
      warn_of_what_needs_a_restart(settings(), (*loaded)->values, journal_.keeper() != nullptr);
      data_plane_.reload(*loaded, tls);
      take_over(*loaded);
      control_plane_.reload(current_, std::move(deliveries));
      metrics_.process.reload_succeeded = true;
      spdlog::info("configuration reloaded: {}", file_);
    } catch (const std::exception& error) {
      metrics_.process.reload_succeeded = false;
      metrics_.process.reload_failures++;
      spdlog::error("RELOAD FAILED, the old configuration stays in force: {}",
                    message_of(file_, error));
    }
  }

  // The workers have ended.
  void end_control() {
    const auto ending = [](app& self) -> task<> {
      co_await self.control_plane_.end_deliveries();
      self.control_.stop();
    };
    asio::co_spawn(control_, ending(*this), asio::detached);
  }

  void drain() {
    phase_ = phase::draining;
    metrics_.process.draining = true;
    spdlog::info("draining: no new connections, {} s for what is under way",
                 settings().timeouts.drain.count() / 1000);
    control_plane_.drain();
    journal_.stop();
    if (archive_reader_) archive_reader_->close();
    data_plane_.drain();
    const auto limiting = [](app& self) -> task<> { co_await self.limit_draining(); };
    asio::co_spawn(control_, limiting(*this), asio::detached);
  }

  // First ends the remaining connections, which settles or voids their holds. If the store is
  // unavailable for longer than that, too, the journal has the rest.
  task<> limit_draining() {
    co_await sleep_for(control_.get_executor(), settings().timeouts.drain);
    spdlog::warn("draining took too long: ending every connection");
    data_plane_.cut();
    co_await sleep_for(control_.get_executor(), std::chrono::seconds{10});
    const auto left = data_plane_.pending_settlements();
    if (journal_.keeper() != nullptr) {
      spdlog::error(
          "the ledger did not confirm {} settlements; they are in the journal {}, and are settled "
          "at the next start or by `tollgate journal replay`",
          left, settings().journal.directory);
    } else {
      spdlog::error(
          "the ledger did not confirm {} settlements, and there is no journal; their holds will "
          "expire",
          left);
    }
    exit_code_ = 1;
    data_plane_.stop();
  }

  const std::string file_;
  configuration_ptr current_;
  std::size_t descriptors_ = 0;  // that the process may open
  metrics::registry metrics_;
  std::optional<running_store> store_;
  journal_owner journal_;
  asio::io_context control_{1};
  std::optional<signal_queues> signals_;
  std::optional<archive::archive_reader>
      archive_reader_;  // only if the configuration has a readable archive
  control_plane control_plane_{control_, metrics_};
  data_plane data_plane_;
  std::thread finisher_;  // waits for the data plane
  std::optional<archive::archive_thread> archive_thread_;
  phase phase_ = phase::starting;
  int exit_code_ = 0;
};

}  // namespace

int run(const std::string& config_file) {
  return app{config_file}.run();
}

}  // namespace tollgate::proxy
