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

// Throws if it cannot be used. Null if the configuration has none.
std::unique_ptr<archive> make_archive(const config::archive_settings& settings);

class archiver {
 public:
  // `into` may be null: then there is nothing to archive. Once `stopping` is true it ends soon.
  archiver(quota::store& store, std::unique_ptr<archive> into, archived_accounts& accounts,
           metrics::archive_metrics& counts, const std::atomic<bool>& stopping);

  // One round. The next round adds what this one did not.
  task<> run_once();
  // Any thread: makes a blocking call fail soon, because the process ends.
  void interrupt();
  // Logs when the archive is far behind, and complete again. Called also while there is no store to
  // read.
  void log_lag();

  // Whether the archive can read back what the store drops.
  bool can_be_read() const { return archive_ && archive_->can_be_read(); }
  // Only archived data may be dropped, and only while the store is the one that was archived: an
  // older copy of it would lose data that nothing else has.
  task<bool> may_drop(const quota::org_id& org, const archived_account& account);
  // Whether all reads were on this round's connection, so that they came from one store.
  bool is_same_connection() const;

 private:
  using steady = std::chrono::steady_clock;

  struct step {  // the data to add, and the resulting progress of each account
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
    std::string why;           // as logged; empty: no outage
    steady::duration pause{};  // how long the archive is left alone after a failure
  };
  struct round {
    bool added = false;   // something was added
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
  std::size_t accounts_at_once_;  // added in one step; one by one after a failure
  bool said_behind_ = false;
};

}  // namespace tollgate::proxy::archive
