// The thread of the archive. It has its own store connection, so no call waits for it. The archive
// may block this thread, or be unavailable for days: meanwhile nothing is lost and nothing is
// dropped.
//
//   collect (store) ► add (archive, exactly once) ► drop (store, never beyond what was added)
//
// It also makes daily summaries as soon as days end, so that no report has to.
#pragma once

#include <thread>

#include "proxy/archive/archiver.hpp"
#include "proxy/archive/retention_job.hpp"

namespace tollgate::proxy::archive {

class archive_thread {
 public:
  // Starts the thread. `into` may be null: then the thread only applies retention.
  archive_thread(const quota::store_opener& open, std::unique_ptr<archive> into,
                 const config::retention_settings& rules, metrics::archive_metrics& counts);
  // Ends as soon as the archive does not block it. The next process adds what was not added.
  ~archive_thread();

 private:
  task<> run();
  task<> learn_accounts();
  task<bool> learn(const quota::org_id& org);

  asio::io_context context_{1};
  std::atomic<bool> stopping_{false};
  std::unique_ptr<quota::store> store_;
  archived_accounts accounts_;
  archiver archiver_;
  retention_job retention_;
  std::chrono::steady_clock::time_point learn_at_{};
  std::uint64_t learnt_on_ = 0;  // the number of the connection
  std::thread thread_;
};

}  // namespace tollgate::proxy::archive
