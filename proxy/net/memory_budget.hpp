// The memory that callers can make this process use, in one account: bodies that are kept to price
// a call, reports, and buffers of connections beyond their first bytes. Small messages never touch
// it.
//
// Buffers of connections belong to nobody, because heads come before keys: they get at most half.
// Bodies have an owner, who gets at most a quarter. Small ones count for their owner only when
// memory is in demand: before that, counting them would take a lock for nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace tollgate::proxy {

enum class memory_outcome : std::uint8_t {
  taken,
  full,         // others use all of it
  share_taken,  // other bodies of the organization use all of its share
  too_large     // more than there ever is for one body
};

// Any thread.
class memory_budget {
 public:
  static constexpr std::uint64_t unlimited = std::numeric_limits<std::int64_t>::max();

  explicit memory_budget(std::uint64_t total = unlimited) : total_{total} {}

  // The instance of this process.
  static memory_budget& shared();

  // Memory in use is not given back when the limit falls: nothing more is taken until there is
  // room.
  void set_total(std::uint64_t total) { total_.store(total, std::memory_order_relaxed); }
  std::uint64_t total() const { return total_.load(std::memory_order_relaxed); }
  std::uint64_t share() const;  // of one organization
  bool is_half_used() const { return buffers() + bodies() > total() / 2; }

  // --- buffers of connections ------------------------------------------------------------------
  bool take_buffer(std::uint64_t bytes);
  // For heads of upstreams, which are counted and never refused.
  void take_buffer_anyway(std::uint64_t bytes) {
    buffers_.fetch_add(bytes, std::memory_order_relaxed);
  }
  void give_back_buffer(std::uint64_t bytes) {
    buffers_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  // --- bodies ----------------------------------------------------------------------------------
  bool take_body(std::uint64_t bytes);
  void give_back_body(std::uint64_t bytes) { bodies_.fetch_sub(bytes, std::memory_order_relaxed); }
  // A part of a body that is also counted for its owner.
  memory_outcome take_share(const std::string& organization, std::uint64_t bytes,
                            std::uint64_t of_this_body);
  void give_back_share(const std::string& organization, std::uint64_t bytes);

  // --- resolutions that the store has not confirmed ---------------------------------------------
  // Of all threads together at most a quarter.
  bool take_resolutions(std::uint64_t bytes);
  void give_back_resolutions(std::uint64_t bytes) {
    resolutions_.fetch_sub(bytes, std::memory_order_relaxed);
    give_back_body(bytes);
  }

  std::uint64_t buffers() const { return buffers_.load(std::memory_order_relaxed); }
  std::uint64_t bodies() const { return bodies_.load(std::memory_order_relaxed); }

 private:
  void reduce_share(const std::string& organization, std::uint64_t bytes);

  std::atomic<std::uint64_t> total_;
  std::atomic<std::uint64_t> buffers_{0}, bodies_{0};
  std::atomic<std::uint64_t> resolutions_{0};  // a part of `bodies_`
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint64_t>
      shares_;  // organizations that use none are not in it
};

// Memory for one step, which is given back after it.
class memory_loan {
 public:
  explicit memory_loan(memory_budget& budget) : budget_{budget} {}
  ~memory_loan() { budget_.give_back_body(bytes_); }
  memory_loan(const memory_loan&) = delete;
  bool grow(std::uint64_t bytes) {
    if (!budget_.take_body(bytes)) return false;
    bytes_ += bytes;
    return true;
  }

 private:
  memory_budget& budget_;
  std::uint64_t bytes_ = 0;
};

}  // namespace tollgate::proxy
