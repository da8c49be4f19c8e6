#include "proxy/app/journal_owner.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

#include "proxy/net/sleep.hpp"
#include "quota/ids.hpp"

namespace tollgate::proxy {

namespace {
constexpr std::chrono::milliseconds ask_store_every{100};
}

void journal_owner::open(const config::settings& settings, int workers) {
  if (!settings.metering) return;
  directory_ = settings.journal.directory;
  if (directory_.empty()) {
    spdlog::info(
        "there is no journal: calls that are not settled when this process is killed are not "
        "charged");
    return;
  }
  keeper_ = std::make_unique<journal::keeper>(settings.journal, workers);
  left_ = journal::read_journal(keeper_->left_behind());
  for (const auto& each : left_.damaged) spdlog::error("journal: DAMAGED: {}", each);
  for (const auto& each : left_.torn) {
    spdlog::warn("journal: an unfinished last record: {}", each);
  }
}

void journal_owner::replay(asio::io_context& context, quota::store& store) {
  if (!keeper_) return;
  const auto replaying = [](journal_owner& self, io_executor executor,
                            quota::store& into) -> task<> {
    co_await self.know_store(into);
    if (!self.stopped_) co_await self.settle_left(executor, into.ledger());
  };
  asio::co_spawn(context, replaying(*this, context.get_executor(), store), asio::detached);
}

// Waits for the store. One that does not give its id, for example because its user may not read the
// key, is used without.
task<> journal_owner::know_store(quota::store& store) {
  const auto is_away = [](const auto& id) {
    return !id && id.error() == quota::store_errc::unavailable;
  };
  while (!stopped_) {
    auto id = co_await store.retention().store_id();
    if (id && id->empty()) {
      auto fresh = quota::random_id_source{}.next_hex128();
      id = co_await store.retention().name_store(std::move(fresh));
    }
    if (is_away(id)) {
      co_await sleep_for(co_await asio::this_coro::executor, ask_store_every);
      continue;
    }
    if (!id) spdlog::warn("journal {}: the store has no id: {}", directory_, id.error().message());
    if (id) store_ = *std::move(id);
    keeper_->belongs_to(store_);
    co_return;
  }
}

void journal_owner::keep_those_of_others() {
  if (store_.empty()) return;
  const auto sorted = journal::sort_by_store(left_.files, store_);
  if (sorted.others.empty()) return;
  const auto others = journal::read_journal(sorted.others);
  if (others.charges.empty()) return;
  spdlog::error("journal {}: {}", directory_, journal::foreign_text(others, sorted.other, store_));
  left_ = journal::read_journal(sorted.ours);
}

task<> journal_owner::settle_left(io_executor executor, quota::ledger& ledger) {
  keep_those_of_others();
  if (left_.files.empty()) co_return;
  spdlog::info("journal {}: {} calls of an earlier process are to be settled", directory_,
               left_.charges.size());
  replay_ = std::make_unique<journal::replay>(executor, ledger);
  const auto report = co_await replay_->run(left_);
  if (!report.complete) co_return;
  journal::remove_replayed(left_);
  spdlog::info("journal {}: {}", directory_, journal::to_string(report));
}

void journal_owner::stop() {
  stopped_ = true;
  if (replay_) replay_->stop();
}

}  // namespace tollgate::proxy
