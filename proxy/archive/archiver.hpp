// Copies what has happened into the archive, and drops from the store what is too old and safe
// there. On a thread and store connection of its own, in nobody's way; the archive may block it, or
// be away for days: nothing is lost meanwhile, and nothing is dropped.
//
//   collect (store) ► add (archive, exactly once) ► drop (store, never beyond what was added)
//
// Besides it has days summed up as soon as they are over, so that no report is the first to ask.
//
// Every sidecar has one. Of those that share a database one archives; all see to retention, in
// which repeating is harmless.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <thread>

#include "config/settings.hpp"
#include "proxy/archive/archive_metrics.hpp"
#include "proxy/archive/collector.hpp"
#include "quota/redis/directory.hpp"
#include "quota/redis/retention.hpp"

namespace tollgate::proxy::archive {

// Throws when it cannot be used. Nothing where the configuration names none.
std::unique_ptr<archive> make_archive(const config::archive_settings& settings);

class archiver {
 public:
  archiver(const quota::redis::address& store, std::unique_ptr<archive> into,
           const config::retention_settings& retention, metrics::archive_metrics& counts);
  // Ends as soon as the archive does not block it. What was not added is, by whoever comes next.
  ~archiver();

 private:
  using steady = std::chrono::steady_clock;

  struct account {
    position at;
    bool position_known = false;
    collector::progress progress;
    steady::time_point look_at{};  // when there is next something to be expected of it
    steady::duration patience{};   // grows while there is nothing
    steady::time_point tidy_at{};
    quota::retained kept;  // as far as is known here: others may have dropped more
    bool kept_known = false;
  };
  using accounts = std::map<quota::org_id, account>;
  struct step {  // what is to be added, and where that takes each account
    std::vector<batch> batches;
    std::vector<collector::progress> reached;
    std::size_t size = 0;
  };

  task<> run();
  task<> learn_accounts();
  task<bool> know_store();
  bool is_same_connection() const;
  bool is_ours(bool leads);
  task<> archive_all();
  task<> archive_some(accounts::iterator from, accounts::iterator to);
  task<> collect(const quota::org_id& org, account& account, step& into);
  void add(step what);
  void lost(const std::string& why);
  void there_again();
  void skip(const quota::org_id& org, account& account, const std::string& why);
  static void forget_position(account& account);
  static void look_anew(account& account);
  task<> tidy_up();
  task<bool> learn_what_is_kept(const quota::org_id& org, account& account);
  task<> sum_up_days(const quota::org_id& org, account& account);
  task<bool> may_drop(const quota::org_id& org, const account& account);
  task<> drop_entries(const quota::org_id& org, account& account);
  task<> drop_usage(const quota::org_id& org, account& account);
  // coarsen_usage.cpp
  task<> coarsen_usage(const quota::org_id& org, account& account);
  task<bool> coarsen(const quota::org_id& org, account& account, quota::coarsening what);
  task<> pause(steady::duration duration);

  asio::io_context context_{1};
  std::unique_ptr<quota::redis::connection> redis_;
  quota::redis::redis_store ledger_;
  quota::redis::redis_directory directory_;
  quota::redis::redis_retention retained_;
  const std::unique_ptr<archive> archive_;
  collector collector_;
  const config::retention_settings retention_;
  metrics::archive_metrics& counts_;

  accounts accounts_;
  steady::time_point learn_at_{}, ask_again_at_{};
  std::string store_;  // the id of the store
  steady::time_point store_known_at_{};
  std::uint64_t connects_ = 0;    // the connection over which the store's id was read
  steady::duration away_{};       // how long the archive is left alone after it failed
  std::string trouble_;           // why it cannot be had, as it was said; empty: it can
  bool added_ = false;            // something, in this round
  std::size_t accounts_at_once_;  // added in one step: one by one after a failure
  bool behind_ = false;           // in this round something could not be archived, or not all
  steady::time_point caught_up_at_ = steady::now();
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tollgate::proxy::archive
