// One file of the journal, mapped into memory: bytes written to it are in the kernel at once, and
// survive the end of the process. Its disk space is allocated when it is created.
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
  // Creates a new file. Blocks until it is done. The text describes the fault.
  static std::variant<std::unique_ptr<segment>, std::string> make(const std::string& directory,
                                                                  std::uint64_t sequence,
                                                                  int worker, std::size_t size);
  ~segment();  // leaves the file
  segment(const segment&) = delete;

  // Called by the worker's thread. False: there is no room left.
  bool append(std::string_view frame);
  // The position of the next frame.
  std::size_t end() const { return used_.load(std::memory_order_relaxed); }
  // Marks the `opened` at this position as voided. Needs no room.
  void strike_out(std::size_t at);
  // Notes the store that has the holds. Needs no room. One thread at a time.
  void belongs_to(const std::string& store);
  bool is_half_full() const { return used_.load(std::memory_order_relaxed) > size_ / 2; }
  std::uint64_t sequence() const { return sequence_; }

  // Any thread.
  bool sync();  // flushes appended bytes to disk; false: may have failed
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
