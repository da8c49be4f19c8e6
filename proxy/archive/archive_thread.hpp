// The thread of the archive, with a store connection of its own, so that nothing on the path of a
// call waits for it. The archive may block this thread, or be away for days: nothing is lost
// meanwhile, and nothing is dropped.
//
//   collect (store) ► add (archive, exactly once) ► drop (store, never beyond what was added)
//
// Besides it has days summed up as soon as they are over, so that no report is the first to ask.
#pragma once

#include <thread>

#include "proxy/archive/archiver.hpp"
#include "proxy/archive/retention_job.hpp"

namespace tollgate::proxy::archive {

class archive_thread {
 public:
  // Starts. `into` may be null: then only retention is seen to.
  archive_thread(const quota::store_opener& open, std::unique_ptr<archive> into,
                 const config::retention_settings& rules, metrics::archive_metrics& counts);
  // Ends as soon as the archive does not block it. What was not added is, by the next to start.
  ~archive_thread();

 private:
  task<> run();
  task<> learn_accounts();

  asio::io_context context_{1};
  std::atomic<bool> stopping_{false};
  std::unique_ptr<quota::store> store_;
  archived_accounts accounts_;
  archiver archiver_;
  retention_job retention_;
  std::chrono::steady_clock::time_point learn_at_{};
  std::thread thread_;
};

}  // namespace tollgate::proxy::archive
