// The journal's directory, and the thread that does for the workers what takes time: it makes the
// next segment before it is needed, has what was written on disk once a second, and deletes
// segments that say nothing any more.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/settings.hpp"
#include "proxy/gateway/journal/segment.hpp"

namespace tollgate::proxy::journal {

// Takes the directory for this process: made if missing, locked. Throws std::runtime_error that
// says what is wrong with it.
quota::file_descriptor lock_directory(const std::string& directory, bool make);
// The segments there, in their order.
std::vector<std::string> segments_in(const std::string& directory);

class keeper {
 public:
  struct sizes {
    std::size_t segment, most_segments;
  };

  // Makes a first segment for each of `workers`, or throws, also where `max` is too small for so
  // many: a journal that cannot be written is found out at the start. Sequences begin behind those
  // that are there.
  keeper(const config::journal_settings& settings, int workers);
  ~keeper();

  const config::journal_settings& settings() const { return settings_; }
  // Segments of earlier processes.
  const std::vector<std::string>& left_behind() const { return left_behind_; }
  std::size_t segment_size() const { return sizes_.segment; }
  // Of one worker that say something; it has one more while the oldest goes, and a spare.
  std::size_t most_segments() const { return sizes_.most_segments; }

  // --- for a worker ---
  // The next segment. Null: the disk has no room for it; it has been logged.
  std::shared_ptr<segment> take(int worker);
  void prepare(int worker);  // one will be needed soon
  void retire(std::shared_ptr<segment> segment);
  // The journal is full: said once a minute.
  void complain(const std::string& what);

  std::int64_t unwritten() const { return unwritten_.load(std::memory_order_relaxed); }
  void count_unwritten() { unwritten_.fetch_add(1, std::memory_order_relaxed); }

 private:
  struct shelf {
    std::shared_ptr<segment> spare;
    bool wanted = false;
  };

  void run();
  void make_spares(std::unique_lock<std::mutex>& lock);
  std::shared_ptr<segment> make(int worker);
  void remove_retired();
  void sync();

  const config::journal_settings settings_;
  const sizes sizes_;
  quota::file_descriptor lock_;
  std::vector<std::string> left_behind_;
  std::atomic<std::uint64_t> next_sequence_{1};
  std::atomic<std::int64_t> unwritten_{0};
  std::mutex removing_;  // taken before the other
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<shelf> shelves_;  // guarded by the mutex, as all below
  std::vector<std::shared_ptr<segment>> active_, retired_;
  std::chrono::steady_clock::time_point complain_at_{};
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tollgate::proxy::journal
