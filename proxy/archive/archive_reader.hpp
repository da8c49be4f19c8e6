// Reads the archive without blocking the caller: a separate thread answers the requests of all
// threads, one after the other. Each is answered within `patience`, also if it waits for others.
// With too many requests, or right after a failure, the answer is `unavailable` at once.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "proxy/account/archive_error.hpp"
#include "proxy/archive/postgres_archive.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::archive {

class archive_reader {
 public:
  // For a caller that waits.
  static constexpr std::chrono::seconds short_patience{3};
  explicit archive_reader(const std::string& url, std::chrono::seconds patience = short_patience)
      : patience_{patience}, archive_{url, postgres_archive::access::read, patience} {}
  // Drops requests that have not begun. Must be destroyed before the contexts of its callers.
  ~archive_reader();

  // Any thread: answers all waiting callers now, and accepts no more requests.
  void close();

  // The store that owns the archive (empty: none yet), and its position for an organization.
  struct standing {
    std::string store;
    position at;
  };

  // archive_errc::unavailable: the archive is unavailable now.
  task<result<std::vector<quota::ledger_entry>>> entries(quota::org_id org, std::string after,
                                                         std::size_t limit);
  task<result<std::vector<quota::usage_counter>>> usage(quota::org_id org, std::int64_t first,
                                                        std::int64_t last);
  task<result<standing>> standing_of(quota::org_id org);

 private:
  using steady = std::chrono::steady_clock;

  template <class T>
  task<result<T>> ask(quota::org_id org, std::function<T(postgres_archive&)> question);
  template <class T>
  result<T> answer(const std::function<T(postgres_archive&)>& question,
                   steady::time_point asked_at);
  bool take_place(const quota::org_id& org);
  void leave_place(const quota::org_id& org);

  const std::chrono::seconds patience_;
  postgres_archive archive_;
  std::atomic<bool> closed_{false};
  steady::time_point failed_at_{};  // used only by the reader's thread
  std::mutex places_;
  std::map<quota::org_id, std::size_t> waiting_;  // requests, by organization
  std::size_t all_waiting_ = 0;
  asio::thread_pool thread_{1};
};

}  // namespace tollgate::proxy::archive
