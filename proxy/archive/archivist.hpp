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

#include <chrono>
#include <map>
#include <memory>
#include <thread>

#include "config/settings.hpp"
#include "proxy/archive/collector.hpp"
#include "proxy/metrics/archive_metrics.hpp"
#include "quota/redis/directory.hpp"
#include "quota/redis/retention.hpp"

namespace tollgate::proxy::archive {

// Throws when it cannot be used. Nothing where the configuration names none.
std::unique_ptr<archive> make_archive(const config::archive_settings& settings);

class archivist {
 public:
  archivist(const quota::redis::address& store, std::unique_ptr<archive> into,
            const config::retention_settings& retention, metrics::archive_metrics& counts);
  // Ends as soon as the archive does not block it. What was not added is, by whoever comes next.
  ~archivist();

 private:
  using steady = std::chrono::steady_clock;

  struct account {
    position at;
    bool position_known = false;
    collector::progress progress;
    steady::time_point look_at{};  // when there is next something to be expected of it
    steady::duration patience{};   // grows while there is nothing
    steady::time_point tidy_at{};
    std::string first_entry = "0-0";  // entries before it have been dropped,
    std::int64_t first_hour = 0;      // and the details of usage before this hour
    std::int64_t next_day = 0;        // days before it have been summed up
  };
  using accounts = std::map<quota::org_id, account>;

  task<> run();
  task<> learn_accounts();
  task<> archive_all();
  task<> archive_some(accounts::iterator from, accounts::iterator to);
  task<bool> collect(const quota::org_id& org, account& account, std::vector<batch>& batches);
  void add(const std::vector<batch>& batches);
  void lost(const std::string& why);
  task<> tidy_up();
  task<> sum_up_days(const quota::org_id& org, account& account);
  task<> drop_entries(const quota::org_id& org, account& account);
  task<> drop_usage(const quota::org_id& org, account& account);
  task<> pause(steady::duration duration);

  asio::io_context context_{1};
  std::unique_ptr<quota::redis::connection> redis_;
  quota::redis::redis_store ledger_;
  quota::redis::redis_directory directory_;
  quota::redis::redis_retention retained_;
  collector collector_;
  const std::unique_ptr<archive> archive_;
  const config::retention_settings retention_;
  metrics::archive_metrics& counts_;

  accounts accounts_;
  steady::time_point learn_at_{}, ask_again_at_{};
  steady::duration away_{};  // how long the archive is left alone after it failed
  std::thread thread_;
};

}  // namespace tollgate::proxy::archive
