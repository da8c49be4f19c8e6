#include "proxy/archive/archiver.hpp"

#include <algorithm>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <spdlog/spdlog.h>

#include "proxy/archive/agreement.hpp"
#include "proxy/archive/file_archive.hpp"
#include "proxy/archive/postgres_archive.hpp"
#include "quota/ledger/entry_id.hpp"

namespace tollgate::proxy::archive {

namespace {

using namespace std::chrono_literals;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

constexpr std::size_t most_accounts_at_once = 50;
constexpr std::size_t most_at_once =
    8'000;  // entries and counters added in one step, but for the last
constexpr auto round_every = 250ms;
constexpr auto shortest_patience = 500ms, longest_patience = 15'000ms;
constexpr auto learn_every = 5s;
constexpr auto first_pause = 500ms, longest_pause = 5'000ms;
constexpr auto follower_pause = 5s, skip_for = 30s;
// A store that fails may forget a name it was given right before; an archive would not.
constexpr auto name_settles = 2s;
constexpr quota::milliseconds longest_tidy_pause{10'000};
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
      return std::make_unique<postgres_archive>(settings.url, postgres_archive::access::write);
    case config::archive_kind::files:
      return std::make_unique<file_archive>(settings.directory, settings.rotate_bytes,
                                            settings.rotate_every);
  }
  return nullptr;
}

archiver::archiver(const quota::redis::address& store, std::unique_ptr<archive> into,
                   const config::retention_settings& retention, metrics::archive_metrics& counts)
    : redis_{quota::redis::make_store_connection(context_, store)},
      ledger_{*redis_},
      directory_{*redis_},
      retained_{*redis_},
      archive_{std::move(into)},
      collector_{ledger_, retained_, archive_ && archive_->can_be_read()},
      retention_{retention},
      counts_{counts},
      accounts_at_once_{most_accounts_at_once} {
  redis_->start();
  const auto running = [](archiver& self) -> task<> { co_await self.run(); };
  const auto ended = [this](std::exception_ptr failed) {
    try {
      if (failed) std::rethrow_exception(failed);
    } catch (const std::exception& error) {
      spdlog::critical("archiver stopped: {}", error.what());
    }
    context_.stop();
  };
  asio::co_spawn(context_, running(*this), ended);
  thread_ = std::thread{[this] { context_.run(); }};
}

// It ends on its own thread: whoever waits for the store gets an error, and sees that it is over.
archiver::~archiver() {
  stopping_ = true;
  if (archive_) archive_->interrupt();
  asio::post(context_, [this] { redis_->stop(); });
  thread_.join();
}

task<> archiver::pause(steady::duration duration) {
  timer delay{context_};
  delay.expires_after(duration);
  error_code ignored;
  co_await delay.async_wait(asio::redirect_error(use_task, ignored));
}

// Time is the store's, and nothing that is done here would tell it by the way.
task<> archiver::run() {
  while (!stopping_) {
    co_await pause(round_every);
    if (stopping_ || !ledger_.ready()) continue;
    const auto known = co_await redis_->ask_time();
    if (!known) continue;
    co_await learn_accounts();
    co_await archive_all();
    co_await tidy_up();
  }
}

task<> archiver::learn_accounts() {
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

// Which store this is. Where that may have changed, and with each new connection (the store may
// have been brought back from an older copy), everything is looked at anew. False: not now.
task<bool> archiver::know_store() {
  const auto connects = redis_->counted().connects;
  auto id = co_await retained_.store_id();
  if (id && id->empty()) {
    auto fresh = quota::random_id_source{}.next_hex128();
    id = co_await retained_.name_store(std::move(fresh));
  }
  if (!id && id.error() != quota::store_errc::unavailable) {
    lost("cannot get the id of the store: " + id.error().message());
  }
  if (!id || id->empty() || connects != redis_->counted().connects) co_return false;
  if (*id == store_ && connects == connects_) co_return true;
  if (*id != store_) store_known_at_ = steady::now();
  store_ = *std::move(id);
  connects_ = connects;
  for (auto& [org, account] : accounts_) look_anew(account);
  co_return true;
}

// It is the store of this round that was read, and no other has come in between.
bool archiver::is_same_connection() const {
  return redis_->counted().connects == connects_;
}

// An archive that is nobody's becomes this store's. False: not yet.
bool archiver::is_ours(bool leads) {
  const auto owner = archive_->store();
  if (owner == store_) return true;
  if (owner.empty()) {
    if (!leads) return true;  // whose it is, is said by who leads
    if (steady::now() - store_known_at_ < name_settles) return false;
    archive_->belong_to(store_);
    return archive_->store() == store_;
  }
  archive_->leave();
  throw std::runtime_error{
      "it belongs to the store " + owner + ", and this is the store " + store_ +
      ". Another store, or one that was emptied, needs an archive of its own: another database, "
      "schema or directory. If it is the same store, remove the old id (delete from "
      "tollgate_store; or write - in its place in the file positions)"};
}

task<> archiver::archive_all() {
  if (!archive_ || steady::now() < ask_again_at_) co_return;
  if (!co_await know_store()) co_return;
  try {
    const bool leads = archive_->lead();
    counts_.leads.set(leads ? 1 : 0);
    if (!is_ours(leads)) co_return;
    if (!leads) {
      there_again();
      for (auto& [org, account] : accounts_) forget_position(account);
      ask_again_at_ = steady::now() + follower_pause;
      counts_.lag_ms.set(0);
      co_return;
    }
    behind_ = added_ = false;
    for (auto at = accounts_.begin(); at != accounts_.end() && !stopping_;) {
      auto end = at;
      for (std::size_t i = 0; i < accounts_at_once_ && end != accounts_.end(); ++i) ++end;
      co_await archive_some(at, end);
      at = end;
    }
    if (added_ || !behind_) there_again();
    accounts_at_once_ = most_accounts_at_once;
    if (!behind_) caught_up_at_ = steady::now();
  } catch (const std::exception& error) {
    lost(error.what());
  }
  const auto lag = steady::now() - caught_up_at_;
  counts_.lag_ms.set(std::chrono::duration_cast<std::chrono::milliseconds>(lag).count());
}

// What became of the last step nobody knows: positions are asked for anew. Whoever made it fail, if
// anybody did, is found one by one.
void archiver::lost(const std::string& why) {
  if (stopping_) return;
  if (why != trouble_) {
    spdlog::error("archive unavailable, retention paused: {}", why);
    trouble_ = why;
  }
  counts_.failures.increment();
  counts_.leads.set(0);
  away_ = std::clamp<steady::duration>(2 * away_, first_pause, longest_pause);
  ask_again_at_ = steady::now() + away_;
  accounts_at_once_ = 1;
  for (auto& [org, account] : accounts_) look_anew(account);
}

// It has taken something, or there is nothing that it could take.
void archiver::there_again() {
  if (!trouble_.empty()) spdlog::info("archive reachable again");
  trouble_.clear();
  away_ = 0s;
}

// As soon as may be; but one that was skipped waits for its turn.
void archiver::look_anew(account& account) {
  if (account.position_known) {
    account.look_at = {};
    account.patience = {};
  }
  account.kept_known = false;
  forget_position(account);
}

// Statements that were collected may not have been added, either.
void archiver::forget_position(account& account) {
  account.position_known = false;
  account.progress.statements_open = true;
}

// One that cannot be archived now keeps nobody else from it.
void archiver::skip(const quota::org_id& org, account& account, const std::string& why) {
  spdlog::error("org={} cannot be archived, its retention is paused: {}", org, why);
  counts_.failures.increment();
  forget_position(account);
  account.look_at = steady::now() + skip_for;
  behind_ = true;
}

task<> archiver::archive_some(accounts::iterator from, accounts::iterator to) {
  step next;
  for (auto at = from; at != to && !stopping_; ++at) {
    auto& [org, account] = *at;
    if (steady::now() < account.look_at) {
      behind_ = behind_ || !account.position_known;
      continue;
    }
    co_await collect(org, account, next);
    if (next.size < most_at_once) continue;
    add(std::exchange(next, {}));
  }
  if (!next.batches.empty() && !stopping_) add(std::move(next));
}

// A position counts as known as soon as the store is seen to go on from there.
task<> archiver::collect(const quota::org_id& org, account& account, step& into) {
  if (!account.position_known) account.at = archive_->position_of(org);
  auto found = co_await collector_.collect(org, account.at, account.progress);
  if (!found) {
    behind_ = true;
    if (found.error() != quota::store_errc::unavailable)
      skip(org, account, found.error().message());
    co_return;
  }
  if (!is_same_connection()) {  // who knows what was read there
    behind_ = true;
    co_return;
  }
  if (found->store_is_behind) {
    skip(org, account,
         "the store does not have the entry " + account.at.entry +
             ", up to which it was archived; the store was restored from an older copy, or the "
             "archive belongs to another store");
    co_return;
  }
  if (found->lost_through) {
    skip(org, account,
         "the store has dropped entries up to " + *found->lost_through +
             ", and the archive lacks them: it was replaced, or restored from an older backup");
    co_return;
  }
  account.position_known = true;
  if (found->full) {
    account.patience = 0s;
    behind_ = true;
  } else if (found->what.empty()) {
    account.patience =
        std::clamp<steady::duration>(2 * account.patience, shortest_patience, longest_patience);
  } else {
    account.patience = shortest_patience;
  }
  account.look_at = steady::now() + account.patience;
  if (found->what.empty()) {
    account.progress = found->reached;
    co_return;
  }
  into.size += found->what.entries.size() + found->what.usage.size();
  into.batches.push_back(std::move(found->what));
  into.reached.push_back(found->reached);
}

void archiver::add(step what) {
  bool added = false;
  try {
    added = archive_->add(what.batches);
  } catch (const refused& error) {
    if (what.batches.size() == 1) {  // others are not to wait for it
      const auto& org = what.batches.front().org;
      skip(org, accounts_[org], error.what());
    }
    throw;
  }
  for (std::size_t i = 0; i < what.batches.size(); ++i) {
    const auto& batch = what.batches[i];
    auto& account = accounts_[batch.org];
    if (!added) {  // somebody else adds, too: let it be known how far that went
      forget_position(account);
      continue;
    }
    added_ = true;
    account.at = batch.to;
    account.progress = what.reached[i];
    counts_.entries.add(static_cast<std::int64_t>(batch.entries.size()));
    counts_.statements.add(static_cast<std::int64_t>(batch.statements.size()));
  }
}

// --- sum up, and drop ---

task<> archiver::tidy_up() {
  const auto every = std::clamp<quota::milliseconds>(
      retention_.ledger.value_or(longest_tidy_pause) / 10, 1s, longest_tidy_pause);
  for (auto& [org, account] : accounts_) {
    if (stopping_ || !ledger_.ready()) co_return;
    if (steady::now() < account.tidy_at) continue;
    account.tidy_at = steady::now() + every;
    if (!co_await learn_what_is_kept(org, account)) continue;
    co_await sum_up_days(org, account);
    co_await drop_entries(org, account);
    co_await drop_usage(org, account);
    co_await coarsen_usage(org, account);
  }
}

task<bool> archiver::learn_what_is_kept(const quota::org_id& org, account& account) {
  if (account.kept_known) co_return true;
  auto kept = co_await retained_.what_is_retained(org);
  if (!kept) co_return false;
  account.kept = *std::move(kept);
  account.kept_known = true;
  co_return true;
}

// Whoever reads a summary makes it, once the day has been over for an hour.
task<> archiver::sum_up_days(const quota::org_id& org, account& account) {
  const auto end = (quota::hour_of(ledger_.now()) - 1) / hours_a_day;
  const auto created = quota::hour_of(account.progress.created_at) / hours_a_day;
  const auto first = std::max(account.kept.next_day, created);
  if (first >= end) co_return;
  account.kept_known = false;  // another sidecar may be at it: the next look is a fresh one
  const auto last = std::min(first + days_at_once, end) - 1;
  const auto summed =
      co_await ledger_.usage_summary(org, first * hours_a_day, (last + 1) * hours_a_day - 1);
  if (summed) co_await retained_.remember_summed(org, last + 1);
}

// Only what is in the archive, and only while the store is the one that was archived: an older copy
// of it would lose what nobody else has.
task<bool> archiver::may_drop(const quota::org_id& org, const account& account) {
  if (!account.position_known || !is_same_connection()) co_return false;
  const auto store = co_await retained_.store_id();
  if (!store || *store != store_) co_return false;
  const auto has = co_await still_has(ledger_, org, account.at, account.kept.dropped_through);
  if (!has || !*has) co_return false;
  co_return is_same_connection();
}

// Never beyond what is in the archive.
task<> archiver::drop_entries(const quota::org_id& org, account& account) {
  if (!retention_.ledger || !archive_ || !archive_->can_be_read()) co_return;
  const auto too_old = ledger_.now() - *retention_.ledger;
  const quota::entry_id by_age{static_cast<std::uint64_t>(too_old.time_since_epoch().count()), 0};
  const auto first = std::min(by_age, known(account.at.entry));
  if (first <= known(account.kept.dropped_through)) co_return;
  if (!co_await may_drop(org, account)) co_return;
  for (;;) {
    const auto all = co_await retained_.drop_entries(org, to_string(first));
    if (!all || stopping_ || !is_same_connection()) co_return;
    if (*all) break;
  }
  account.kept.dropped_through = to_string(first);
}

// Days in their order, each summed up before its details go. Where an archive can be read, only
// what is in it.
task<> archiver::drop_usage(const quota::org_id& org, account& account) {
  auto end = quota::hour_of(ledger_.now() - retention_.usage) / hours_a_day;
  const bool in_archive = archive_ && archive_->can_be_read();
  if (in_archive) {
    if (!account.position_known) co_return;
    end = std::min(end, account.at.hour / hours_a_day);
  }
  const auto created = quota::hour_of(account.progress.created_at) / hours_a_day;
  const auto first = std::max(account.kept.first_hour / hours_a_day, created);
  if (first >= end) co_return;
  if (in_archive) {
    const bool safe = co_await may_drop(org, account);
    if (!safe) co_return;
  }
  for (auto day = first; day < std::min(end, first + days_at_once); ++day) {
    const auto next = (day + 1) * hours_a_day;
    const auto summed = co_await ledger_.usage_summary(org, day * hours_a_day, next - 1);
    if (!summed || stopping_ || (in_archive && !is_same_connection())) co_return;
    const auto dropped = co_await retained_.drop_usage_detail(org, day);
    if (!dropped || !*dropped) co_return;
    account.kept.first_hour = next;
  }
}

}  // namespace tollgate::proxy::archive
