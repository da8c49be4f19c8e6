// Asks the archive without blocking whoever asks: questions of all threads are answered one after
// the other, on a thread of their own.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "proxy/archive/postgres_archive.hpp"
#include "quota/task.hpp"

namespace tollgate::proxy::archive {

class archive_reader {
 public:
  explicit archive_reader(const std::string& url) : archive_{url} {}
  // Questions that were not asked yet are dropped. Goes before the contexts of those who asked.
  ~archive_reader();

  // store_errc::unavailable: the archive cannot be had now.
  task<result<std::vector<quota::ledger_entry>>> entries(quota::org_id org, std::string after,
                                                         std::size_t limit);
  task<result<std::vector<quota::usage_counter>>> usage(quota::org_id org, std::int64_t first,
                                                        std::int64_t last);
  task<result<position>> position_of(quota::org_id org);

 private:
  template <class T>
  task<result<T>> ask(std::function<T(postgres_archive&)> question);

  postgres_archive archive_;
  asio::thread_pool thread_{1};
};

}  // namespace tollgate::proxy::archive
