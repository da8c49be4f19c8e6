#include "proxy/cli/journal.hpp"

#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/asio/co_spawn.hpp>

#include "config/load.hpp"
#include "proxy/cli/store_wait.hpp"
#include "proxy/gateway/journal/keeper.hpp"
#include "proxy/gateway/journal/replay.hpp"
#include "proxy/net/sleep.hpp"

namespace tollgate::proxy {

namespace {

using namespace std::chrono_literals;

class replayer {
 public:
  explicit replayer(const quota::store_opener& open)
      : store_{open(context_)}, replay_{context_.get_executor(), store_->ledger()} {}

  // Nullopt: nothing is known to be settled; why() says why.
  std::optional<journal::replay_report> run(const journal::contents& journal, bool force) {
    std::optional<journal::replay_report> report;
    std::exception_ptr thrown;
    store_->start();
    asio::co_spawn(context_, settle(journal, force),
                   [&](std::exception_ptr error, std::optional<journal::replay_report> done) {
                     thrown = error;
                     report = std::move(done);
                     store_->stop();
                     context_.stop();
                   });
    context_.run();
    if (thrown) std::rethrow_exception(thrown);
    return report;
  }

  const std::string& why() const { return why_; }

 private:
  task<std::optional<journal::replay_report>> settle(const journal::contents& journal, bool force) {
    if (!journal.charges.empty() && !force) {
      if (!co_await is_their_store(journal)) co_return std::nullopt;
    }
    const auto watching = [](replayer& self) -> task<> { co_await self.watch_store(); };
    asio::co_spawn(context_, watching(*this), [](std::exception_ptr) {});
    const auto done = co_await replay_.run(journal);
    if (!done.complete) co_return std::nullopt;
    co_return done;
  }

  // Whether the holds of the journal are in this store, as far as the segments note it.
  task<bool> is_their_store(const journal::contents& journal) {
    if (!co_await wait_for_store(*store_, context_.get_executor())) {
      why_ = why_unavailable(*store_);
      co_return false;
    }
    const auto id = co_await store_->retention().store_id();
    if (!id) {
      why_ = "cannot get the id of the store: " + id.error().message();
      co_return false;
    }
    const auto sorted = journal::sort_by_store(journal.files, *id);
    const auto others = journal::read_journal(sorted.others);
    if (others.charges.empty()) co_return true;
    why_ = journal::foreign_text(others, sorted.other, *id);
    co_return false;
  }

  task<> watch_store() {
    const auto executor = context_.get_executor();
    while (co_await wait_for_store(*store_, executor)) co_await sleep_for(executor, 100ms);
    why_ = why_unavailable(*store_);
    replay_.stop();
  }

  asio::io_context context_{1};
  std::unique_ptr<quota::store> store_;
  journal::replay replay_;
  std::string why_;
};

int replay_into(const quota::store_opener& open, const std::string& directory, bool force,
                std::ostream& out) {
  const auto left = journal::read_journal(journal::segments_in(directory));
  for (const auto& each : left.torn) out << "an unfinished last record: " << each << '\n';
  replayer replaying{open};
  const auto report = replaying.run(left, force);
  if (!report) throw std::runtime_error{replaying.why() + "; the journal is unchanged"};
  journal::remove_replayed(left);
  out << journal::to_string(*report) << '\n';
  for (const auto& each : left.damaged) out << "DAMAGED: " << each << '\n';
  return left.damaged.empty() ? 0 : 1;
}

}  // namespace

int run_journal_replay(const journal_options& options, const store_finder& find_store,
                       std::ostream& out, std::ostream& err) {
  const auto loaded = config::load_file(options.config, options.env);
  if (const auto* errors = std::get_if<std::vector<config::config_error>>(&loaded)) {
    for (const auto& error : *errors) err << to_string(error) << '\n';
    return 2;
  }
  const auto& settings = std::get<config::configuration>(loaded).values;
  const auto& directory =
      options.directory.empty() ? settings.journal.directory : options.directory;
  try {
    if (directory.empty())
      throw std::runtime_error{"the configuration has no journal; give the directory"};
    const auto lock = journal::lock_directory(directory, false);
    const auto store = find_store(settings.store.url, quota::store_access::read_write);
    if (const auto* failure = std::get_if<store_failure>(&store)) {
      err << "tollgate: " << failure->message << '\n';
      return failure->exit_code;
    }
    return replay_into(std::get<quota::store_opener>(store), directory, options.force, out);
  } catch (const std::exception& error) {
    err << "tollgate: " << error.what() << '\n';
    return 1;
  }
}

void add_journal_command(CLI::App& app, int& exit_code, const store_finder& find_store) {
  auto* const journal =
      app.add_subcommand("journal", "The journal of charges that are not settled");
  journal->require_subcommand(1);
  auto* const command = journal->add_subcommand("replay", "Settle the charges in a journal now");
  const auto options = std::make_shared<journal_options>();
  command->add_option("--config", options->config, "the configuration, for its store")
      ->capture_default_str()
      ->type_name("FILE");
  command->add_option("DIR", options->directory, "the journal; default: that of the configuration");
  command->add_flag("--force", options->force,
                    "settle calls of another store, too: it is a restored copy of that store");
  command->callback([options, find_store, &exit_code] {
    exit_code = run_journal_replay(*options, find_store, std::cout, std::cerr);
  });
}

}  // namespace tollgate::proxy
