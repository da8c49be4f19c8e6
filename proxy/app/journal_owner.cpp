#include "proxy/app/journal_owner.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/spdlog.h>

namespace tollgate::proxy {

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

void journal_owner::replay(asio::io_context& context, quota::ledger& ledger) {
  if (left_.files.empty()) return;
  spdlog::info("journal {}: {} calls of an earlier process are to be settled", directory_,
               left_.charges.size());
  replay_ = std::make_unique<journal::replay>(context.get_executor(), ledger);
  const auto replaying = [](journal_owner& self) -> task<> {
    const auto report = co_await self.replay_->run(self.left_);
    if (!report.complete) co_return;
    journal::remove_replayed(self.left_);
    spdlog::info("journal {}: {}", self.directory_, journal::to_string(report));
  };
  asio::co_spawn(context, replaying(*this), asio::detached);
}

void journal_owner::stop() {
  if (replay_) replay_->stop();
}

}  // namespace tollgate::proxy
