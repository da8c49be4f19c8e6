// The journal's directory, and the thread that does slow work for the workers: it creates the next
// segment before it is needed, flushes written data to disk once per second, and deletes segments
// that are no longer needed.
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

// Takes the directory for this process: locks it, and creates it if it is missing. Throws a
// std::runtime_error that describes the fault.
quota::file_descriptor lock_directory(const std::string& directory, bool make);
// The segments in the directory, in order.
std::vector<std::string> segments_in(const std::string& directory);

class keeper {
 public:
  struct sizes {
    std::size_t segment, most_segments;
  };

  // Makes a first segment for each of `workers`. Throws if it cannot, and if `max` is too small for
  // that many: a journal that cannot be written is detected at the start. Sequences begin after the
  // existing ones.
  keeper(const config::journal_settings& settings, int workers);
  ~keeper();

  const config::journal_settings& settings() const { return settings_; }
  // Segments of earlier processes.
  const std::vector<std::string>& left_behind() const { return left_behind_; }
  std::size_t segment_size() const { return sizes_.segment; }
  // The most needed segments of one worker; it has one more while the oldest is being removed, and
  // a spare.
  std::size_t most_segments() const { return sizes_.most_segments; }

  // From now on segments note the store that has the holds. Any thread.
  void belongs_to(const std::string& store);

  // --- for a worker ---
  // The next segment. Null: the disk has no room for it; that has been logged.
  std::shared_ptr<segment> take(int worker);
  void prepare(int worker);  // one will be needed soon
  void retire(std::shared_ptr<segment> segment);
  // The journal is full: logged once per minute.
  void complain(const std::string& what);

  std::int64_t unwritten() const { return unwritten_.load(std::memory_order_relaxed); }
  void count_unwritten() { unwritten_.fetch_add(1, std::memory_order_relaxed); }

 private:
  struct shelf {
    std::shared_ptr<segment> spare;
    bool wanted = false;
  };

  struct used_segments {
    std::vector<std::shared_ptr<segment>> active, retired;
    std::string store;  // that has their holds; empty: not known yet
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
  std::mutex removing_;  // locked before the other
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<shelf> shelves_;  // guarded by the mutex, like all members below
  used_segments used_;
  std::chrono::steady_clock::time_point complain_at_{};
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tollgate::proxy::journal
