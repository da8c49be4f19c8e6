#include "proxy/archive/archiver.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "proxy/archive/agreement.hpp"
#include "proxy/archive/file_archive.hpp"
#include "proxy/archive/postgres_archive.hpp"
#include "quota/ids.hpp"

namespace tollgate::proxy::archive {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_accounts_at_once = 50;
// Entries and counters added in one step; the last account may exceed it.
constexpr std::size_t most_at_once = 8'000;
constexpr auto shortest_patience = 500ms, longest_patience = 15'000ms;
constexpr auto first_outage_pause = 500ms, longest_outage_pause = 5'000ms;
constexpr auto follower_pause = 5s, skip_for = 30s;
// A lag of a minute is no delay of usual work any more.
constexpr auto unusual_lag = 60s;
// A store that fails may lose an id it was given just before; an archive would keep it.
constexpr auto name_settles = 2s;

// Collected statements may not have been added, either.
void forget_position(archived_account& account) {
  account.position_known = false;
  account.progress.statements_open = true;
}

// Checks the account as soon as possible; a skipped one waits for its turn.
void look_anew(archived_account& account) {
  if (account.position_known) {
    account.look_at = {};
    account.patience = {};
  }
  account.kept_known = false;
  forget_position(account);
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

archiver::archiver(quota::store& store, std::unique_ptr<archive> into, archived_accounts& accounts,
                   metrics::archive_metrics& counts, const std::atomic<bool>& stopping)
    : store_{store},
      archive_{std::move(into)},
      accounts_{accounts},
      counts_{counts},
      stopping_{stopping},
      collector_{store.history(), store.retention(), can_be_read()},
      accounts_at_once_{most_accounts_at_once} {
  if (archive_) counts_.lag.caught_up(steady::now());
}

void archiver::interrupt() {
  if (archive_) archive_->interrupt();
}

// Determines the store's id. If it may have changed, and after each reconnection (the store may
// have been restored from an older copy), everything is checked again. False: not available now.
task<bool> archiver::know_store() {
  const auto connects = store_.traffic().connects;
  auto id = co_await store_.retention().store_id();
  if (id && id->empty()) {
    auto fresh = quota::random_id_source{}.next_hex128();
    id = co_await store_.retention().name_store(std::move(fresh));
  }
  if (!id && id.error() != quota::store_errc::unavailable) {
    lost("cannot get the id of the store: " + id.error().message());
  }
  if (!id || id->empty() || connects != store_.traffic().connects) co_return false;
  if (*id == known_.id && connects == known_.connects) co_return true;
  if (*id != known_.id) known_.since = steady::now();
  known_.id = *std::move(id);
  known_.connects = connects;
  for (auto& [org, account] : accounts_) look_anew(account);
  co_return true;
}

// Whether all reads were on this round's connection, so that they came from one store.
bool archiver::is_same_connection() const {
  return store_.traffic().connects == known_.connects;
}

// An archive without an owner becomes this store's. False: not yet.
bool archiver::is_ours(bool leads) {
  const auto owner = archive_->store();
  if (owner == known_.id) return true;
  if (owner.empty()) {
    if (!leads) return true;  // the leading sidecar decides about the owner
    if (steady::now() - known_.since < name_settles) return false;
    archive_->belong_to(known_.id);
    return archive_->store() == known_.id;
  }
  archive_->leave();
  throw std::runtime_error{
      "it belongs to the store " + owner + ", and this is the store " + known_.id +
      ". Another store, or one that was emptied, needs an archive of its own: another database, "
      "schema or directory. If it is the same store, remove the old id (delete from "
      "tollgate_store; or write - in its place in the file positions)"};
}

task<> archiver::run_once() {
  if (!archive_ || steady::now() < ask_again_at_) co_return;
  if (!co_await know_store()) co_return;
  try {
    const bool leads = archive_->lead();
    if (leads != (counts_.leads.read() != 0)) {
      spdlog::info(leads ? "archive: this Tollgate writes it now"
                         : "archive: another Tollgate writes it");
    }
    counts_.leads.set(leads ? 1 : 0);
    if (!is_ours(leads)) co_return;
    if (!leads) {
      there_again();
      for (auto& [org, account] : accounts_) forget_position(account);
      const auto now = steady::now();
      ask_again_at_ = now + follower_pause;
      counts_.lag.caught_up(now);
      counts_.lag.led_by_another(ask_again_at_ + follower_pause);
      co_return;
    }
    counts_.lag.led_by_another({});
    round_ = {};
    for (auto at = accounts_.begin(); at != accounts_.end() && !stopping_;) {
      auto end = at;
      for (std::size_t i = 0; i < accounts_at_once_ && end != accounts_.end(); ++i) ++end;
      co_await archive_some(at, end);
      at = end;
    }
    if (round_.added || !round_.behind) there_again();
    accounts_at_once_ = most_accounts_at_once;
    if (!round_.behind) counts_.lag.caught_up(steady::now());
  } catch (const std::exception& error) {
    lost(error.what());
  }
}

void archiver::log_lag() {
  const auto lag = counts_.lag.at(steady::now());
  if (std::exchange(said_behind_, lag >= unusual_lag) == (lag >= unusual_lag)) return;
  if (lag >= unusual_lag) {
    spdlog::warn("archive: {} s behind; what is not archived stays in the store",
                 std::chrono::duration_cast<std::chrono::seconds>(lag).count());
  } else {
    spdlog::info("archive: complete again");
  }
}

// The result of the last step is unknown: positions are read again. If one organization caused the
// failure, it is found by adding one at a time.
void archiver::lost(const std::string& why) {
  if (stopping_) return;
  if (why != outage_.why) {
    spdlog::error("archive unavailable, retention paused: {}", why);
    outage_.why = why;
  }
  counts_.failures.increment();
  counts_.leads.set(0);
  outage_.pause =
      std::clamp<steady::duration>(2 * outage_.pause, first_outage_pause, longest_outage_pause);
  ask_again_at_ = steady::now() + outage_.pause;
  accounts_at_once_ = 1;
  for (auto& [org, account] : accounts_) look_anew(account);
}

// The archive has accepted something, or there was nothing to add.
void archiver::there_again() {
  if (!outage_.why.empty()) spdlog::info("archive reachable again");
  outage_.why.clear();
  outage_.pause = 0s;
}

// An organization that cannot be archived now does not delay the others.
void archiver::skip(const quota::org_id& org, archived_account& account, const std::string& why) {
  spdlog::error("org={} cannot be archived, its retention is paused: {}", org, why);
  counts_.failures.increment();
  forget_position(account);
  account.look_at = steady::now() + skip_for;
  round_.behind = true;
}

task<> archiver::archive_some(archived_accounts::iterator from, archived_accounts::iterator to) {
  step next;
  for (auto at = from; at != to && !stopping_; ++at) {
    auto& [org, account] = *at;
    if (steady::now() < account.look_at) {
      round_.behind = round_.behind || !account.position_known;
      continue;
    }
    co_await collect(org, account, next);
    if (next.size < most_at_once) continue;
    add(std::exchange(next, {}));
  }
  if (!next.batches.empty() && !stopping_) add(std::move(next));
}

// A position counts as known once the store is found to continue from it.
task<> archiver::collect(const quota::org_id& org, archived_account& account, step& into) {
  if (!account.position_known) account.at = archive_->position_of(org);
  auto found = co_await collector_.collect(org, account.at, account.progress);
  if (!found) {
    round_.behind = true;
    if (found.error() != quota::store_errc::unavailable)
      skip(org, account, found.error().message());
    co_return;
  }
  if (!is_same_connection()) {  // the reads may have come from another store
    round_.behind = true;
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
    round_.behind = true;
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
    if (what.batches.size() == 1) {  // other organizations can continue
      const auto& org = what.batches.front().org;
      skip(org, accounts_[org], error.what());
    }
    throw;
  }
  for (std::size_t i = 0; i < what.batches.size(); ++i) {
    const auto& batch = what.batches[i];
    auto& account = accounts_[batch.org];
    if (!added) {  // another sidecar adds, too: its position has to be read
      forget_position(account);
      continue;
    }
    round_.added = true;
    account.at = batch.to;
    account.progress = what.reached[i];
    counts_.entries.add(static_cast<std::int64_t>(batch.entries.size()));
    counts_.statements.add(static_cast<std::int64_t>(batch.statements.size()));
  }
}

task<bool> archiver::may_drop(const quota::org_id& org, const archived_account& account) {
  if (!account.position_known || !is_same_connection()) co_return false;
  const auto store = co_await store_.retention().store_id();
  if (!store || *store != known_.id) co_return false;
  const auto has =
      co_await still_has(store_.history(), org, account.at, account.kept.dropped_through);
  if (!has || !*has) co_return false;
  co_return is_same_connection();
}

}  // namespace tollgate::proxy::archive
