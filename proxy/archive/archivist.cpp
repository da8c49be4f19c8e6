#include "proxy/archive/archivist.hpp"

#include <algorithm>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <spdlog/spdlog.h>

#include "proxy/archive/file_archive.hpp"
#include "proxy/archive/postgres_archive.hpp"
#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::archive {

namespace {

using namespace std::chrono_literals;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

constexpr std::size_t accounts_at_once = 50;    // added in one step,
constexpr std::size_t entries_at_once = 8'000;  // but not many more entries than these
constexpr auto round_every = 250ms;
constexpr auto shortest_patience = 500ms, longest_patience = 15'000ms;
constexpr auto learn_every = 5s;
constexpr quota::milliseconds longest_tidy_pause{10'000};
constexpr auto first_pause = 500ms, longest_pause = 10'000ms;
constexpr auto follower_pause = 5s, look_again_for_what_is_lost = 30s;
constexpr std::int64_t hours_a_day = 24, days_at_once = 40;

quota::entry_id known(const std::string& id) {
  return quota::parse_entry_id(id).value_or(quota::entry_id{});
}

}  // namespace

std::unique_ptr<archive> make_archive(const config::archive_settings& settings) {
  switch (settings.kind) {
    case config::archive_kind::none:
      break;
    case config::archive_kind::postgresql:
      return std::make_unique<postgres_archive>(settings.url);
    case config::archive_kind::files:
      return std::make_unique<file_archive>(settings.directory, settings.rotate_bytes,
                                            settings.rotate_every);
  }
  return nullptr;
}

archivist::archivist(const quota::redis::address& store, std::unique_ptr<archive> into,
                     const config::retention_settings& retention, metrics::archive_metrics& counts)
    : redis_{quota::redis::make_store_connection(context_, store)},
      ledger_{*redis_},
      directory_{*redis_},
      retained_{*redis_},
      collector_{ledger_, retained_},
      archive_{std::move(into)},
      retention_{retention},
      counts_{counts} {
  redis_->start();
  const auto running = [](archivist& self) -> task<> { co_await self.run(); };
  const auto ended = [](std::exception_ptr failed) {
    try {
      if (failed) std::rethrow_exception(failed);
    } catch (const std::exception& error) {
      spdlog::critical("the archivist has stopped: {}", error.what());
    }
  };
  asio::co_spawn(context_, running(*this), ended);
  thread_ = std::thread{[this] { context_.run(); }};
}

archivist::~archivist() {
  context_.stop();
  if (archive_) archive_->interrupt();
  thread_.join();
}

task<> archivist::pause(steady::duration duration) {
  timer delay{context_};
  delay.expires_after(duration);
  error_code ignored;
  co_await delay.async_wait(asio::redirect_error(use_task, ignored));
}

task<> archivist::run() {
  for (;;) {
    co_await pause(round_every);
    if (!ledger_.ready()) continue;
    co_await learn_accounts();
    co_await archive_all();
    co_await tidy_up();
  }
}

task<> archivist::learn_accounts() {
  if (steady::now() < learn_at_) co_return;
  std::string after;
  for (;;) {
    const auto page = co_await directory_.list(after, 100);
    if (!page) co_return;
    for (const auto& organization : *page) {
      accounts_[organization.id].progress.created_at = organization.created_at;
    }
    if (page->empty()) break;
    after = page->back().id;
  }
  learn_at_ = steady::now() + learn_every;
}

// --- archive ---

task<> archivist::archive_all() {
  if (!archive_ || steady::now() < ask_again_at_) co_return;
  try {
    const bool leads = archive_->lead();
    counts_.leads.set(leads ? 1 : 0);
    if (!leads) {
      for (auto& [org, account] : accounts_) account.position_known = false;
      ask_again_at_ = steady::now() + follower_pause;
      co_return;
    }
    for (auto at = accounts_.begin(); at != accounts_.end();) {
      auto end = at;
      for (std::size_t i = 0; i < accounts_at_once && end != accounts_.end(); ++i) ++end;
      co_await archive_some(at, end);
      at = end;
    }
    if (away_ > 0s) spdlog::info("the archive is there again");
    away_ = 0s;
  } catch (const std::exception& error) {
    lost(error.what());
  }
}

// What became of the last step nobody knows: positions are asked for anew.
void archivist::lost(const std::string& why) {
  if (away_ == 0s)
    spdlog::error("the archive is away, nothing is dropped until it is back: {}", why);
  counts_.failures.increment();
  counts_.leads.set(0);
  away_ = std::clamp<steady::duration>(2 * away_, first_pause, longest_pause);
  ask_again_at_ = steady::now() + away_;
  for (auto& [org, account] : accounts_) account.position_known = false;
}

task<> archivist::archive_some(accounts::iterator from, accounts::iterator to) {
  std::vector<batch> batches;
  std::size_t entries = 0;
  for (auto at = from; at != to; ++at) {
    auto& [org, account] = *at;
    if (steady::now() < account.look_at) continue;
    if (!co_await collect(org, account, batches)) co_return;
    if (!batches.empty()) entries += batches.back().entries.size();
    if (entries < entries_at_once) continue;
    add(std::exchange(batches, {}));
    entries = 0;
  }
  if (!batches.empty()) add(batches);
}

// False: the store is away.
task<bool> archivist::collect(const quota::org_id& org, account& account,
                              std::vector<batch>& batches) {
  if (!account.position_known) {
    account.at = archive_->position_of(org);
    account.position_known = true;
  }
  auto found = co_await collector_.collect(org, account.at, account.progress);
  if (!found) co_return false;
  if (found->lost_before) {
    spdlog::error(
        "the archive does not have the ledger entries of org={} before {}, which the store "
        "has dropped: nothing of it is archived until they are back",
        org, *found->lost_before);
    counts_.failures.increment();
    account.position_known = false;
    account.look_at = steady::now() + look_again_for_what_is_lost;
    co_return true;
  }
  if (found->full) {
    account.patience = 0s;
  } else if (found->what.empty()) {
    account.patience =
        std::clamp<steady::duration>(2 * account.patience, shortest_patience, longest_patience);
  } else {
    account.patience = shortest_patience;
  }
  account.look_at = steady::now() + account.patience;
  if (!found->what.empty()) batches.push_back(std::move(found->what));
  co_return true;
}

void archivist::add(const std::vector<batch>& batches) {
  if (!archive_->add(batches)) {  // somebody else adds, too: let it be known how far that went
    for (const auto& batch : batches) accounts_[batch.org].position_known = false;
    return;
  }
  for (const auto& batch : batches) {
    accounts_[batch.org].at = batch.to;
    counts_.entries.add(static_cast<std::int64_t>(batch.entries.size()));
    counts_.statements.add(static_cast<std::int64_t>(batch.statements.size()));
    if (batch.entries.empty()) continue;
    counts_.oldest_lag_ms.set((ledger_.now() - batch.entries.front().at).count());
  }
}

// --- sum up, and drop ---

task<> archivist::tidy_up() {
  const auto every = std::clamp<quota::milliseconds>(
      retention_.ledger.value_or(longest_tidy_pause) / 10, 1s, longest_tidy_pause);
  for (auto& [org, account] : accounts_) {
    if (steady::now() < account.tidy_at || !ledger_.ready()) continue;
    account.tidy_at = steady::now() + every;
    co_await sum_up_days(org, account);
    co_await drop_entries(org, account);
    co_await drop_usage(org, account);
  }
}

// Whoever reads a summary makes it, once the day has been over for an hour.
task<> archivist::sum_up_days(const quota::org_id& org, account& account) {
  const auto end = (quota::hour_of(ledger_.now()) - 1) / hours_a_day;
  const auto first =
      std::max(account.next_day, quota::hour_of(account.progress.created_at) / hours_a_day);
  if (first >= end) co_return;
  const auto last = std::min(first + days_at_once, end) - 1;
  const auto summed =
      co_await ledger_.usage_summary(org, first * hours_a_day, (last + 1) * hours_a_day - 1);
  if (summed) account.next_day = last + 1;
}

// Never beyond what is in the archive.
task<> archivist::drop_entries(const quota::org_id& org, account& account) {
  if (!retention_.ledger || !archive_ || !archive_->can_be_read() || !account.position_known) {
    co_return;
  }
  const auto too_old = ledger_.now() - *retention_.ledger;
  const quota::entry_id by_age{static_cast<std::uint64_t>(too_old.time_since_epoch().count()), 0};
  const auto first = std::min(by_age, known(account.at.entry));
  if (first <= known(account.first_entry)) co_return;
  for (;;) {
    const auto all = co_await retained_.drop_entries(org, to_string(first));
    if (!all) co_return;
    if (*all) break;
  }
  account.first_entry = to_string(first);
}

// Days in their order, each summed up before its details go. Where an archive can be read, only
// what is in it.
task<> archivist::drop_usage(const quota::org_id& org, account& account) {
  auto end = quota::hour_of(ledger_.now() - retention_.usage) / hours_a_day;
  if (archive_ && archive_->can_be_read()) {
    if (!account.position_known) co_return;
    end = std::min(end, account.at.hour / hours_a_day);
  }
  const auto created = quota::hour_of(account.progress.created_at) / hours_a_day;
  if (std::max(created, account.first_hour / hours_a_day) >= end) co_return;
  const auto kept = co_await retained_.what_is_retained(org);
  if (!kept) co_return;
  account.first_hour = kept->first_hour;
  const auto first = std::max(kept->first_hour / hours_a_day, created);
  for (auto day = first; day < std::min(end, first + days_at_once); ++day) {
    const auto next = (day + 1) * hours_a_day;
    const auto summed = co_await ledger_.usage_summary(org, day * hours_a_day, next - 1);
    if (!summed) co_return;
    const auto dropped = co_await retained_.drop_usage_detail(org, day);
    if (!dropped || !*dropped) co_return;
    account.first_hour = next;
  }
}

}  // namespace tollgate::proxy::archive
