// Copies history into the archive, exactly once, after any crash. One of the sidecars that share a
// database archives.
#pragma once

#include <atomic>
#include <memory>

#include "config/settings.hpp"
#include "proxy/archive/archive_metrics.hpp"
#include "proxy/archive/archived_account.hpp"
#include "quota/store.hpp"

namespace tollgate::proxy::archive {

// Throws when it cannot be used. Nothing where the configuration names none.
std::unique_ptr<archive> make_archive(const config::archive_settings& settings);

class archiver {
 public:
  // `into` may be null: then there is nothing to do. Once `stopping` is true it ends soon.
  archiver(quota::store& store, std::unique_ptr<archive> into, archived_accounts& accounts,
           metrics::archive_metrics& counts, const std::atomic<bool>& stopping);

  // One round. What was not added is, by the next.
  task<> run_once();
  // Any thread: a call that blocks is to fail soon, because the process ends.
  void interrupt();

  // Whether there is an archive that reads back what the store drops.
  bool can_be_read() const { return archive_ && archive_->can_be_read(); }
  // Only what is in the archive may be dropped, and only while the store is the one that was
  // archived: an older copy of it would lose what nobody else has.
  task<bool> may_drop(const quota::org_id& org, const archived_account& account);
  // It is the store of this round that was read, and no other has come in between.
  bool is_same_connection() const;

 private:
  using steady = std::chrono::steady_clock;

  struct step {  // what is to be added, and where that takes each account
    std::vector<batch> batches;
    std::vector<collector::progress> reached;
    std::size_t size = 0;
  };
  struct known_store {
    std::string id;
    steady::time_point since{};
    std::uint64_t connects = 0;  // the connection over which the id was read
  };
  struct outage {
    std::string why;           // as it was logged; empty: there is none
    steady::duration pause{};  // how long the archive is left alone after it failed
  };
  struct round {
    bool added = false;   // something
    bool behind = false;  // something could not be archived, or not all
  };

  task<bool> know_store();
  bool is_ours(bool leads);
  task<> archive_some(archived_accounts::iterator from, archived_accounts::iterator to);
  task<> collect(const quota::org_id& org, archived_account& account, step& into);
  void add(step what);
  void lost(const std::string& why);
  void there_again();
  void skip(const quota::org_id& org, archived_account& account, const std::string& why);

  quota::store& store_;
  const std::unique_ptr<archive> archive_;
  archived_accounts& accounts_;
  metrics::archive_metrics& counts_;
  const std::atomic<bool>& stopping_;
  collector collector_;
  known_store known_;
  outage outage_;
  round round_;
  steady::time_point ask_again_at_{};
  std::size_t accounts_at_once_;  // added in one step: one by one after a failure
  steady::time_point caught_up_at_ = steady::now();
};

}  // namespace tollgate::proxy::archive
