// One file of the journal, mapped into memory: what is written to it is with the kernel at once,
// and outlives the process however that ends. Its room is taken from the disk when it is made.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "quota/file_lock.hpp"

namespace tollgate::proxy::journal {

class segment {
 public:
  // A new file. Blocks for as long as that takes. The text says what went wrong.
  static std::variant<std::unique_ptr<segment>, std::string> make(const std::string& directory,
                                                                  std::uint64_t sequence,
                                                                  int worker, std::size_t size);
  ~segment();  // leaves the file
  segment(const segment&) = delete;

  // The worker's thread: false when there is no room left.
  bool append(std::string_view frame);
  // Where the next frame will stand.
  std::size_t end() const { return used_.load(std::memory_order_relaxed); }
  // The `opened` that stands there is to be voided. Needs no room.
  void strike_out(std::size_t at);
  bool is_half_full() const { return used_.load(std::memory_order_relaxed) > size_ / 2; }
  std::uint64_t sequence() const { return sequence_; }

  // Any thread.
  bool sync();  // what has been appended is on disk; false: it may not be
  void remove();

 private:
  segment() = default;

  quota::file_descriptor file_;
  std::string path_;
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t sequence_ = 0;
  std::atomic<std::size_t> used_{0};
  std::size_t synced_ = 0;  // of the thread that syncs
};

std::string segment_name(std::uint64_t sequence, int worker);

}  // namespace tollgate::proxy::journal
