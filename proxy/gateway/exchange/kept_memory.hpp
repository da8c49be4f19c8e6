// The memory of the part of a request's body that is kept, taken from the process' budget.
#pragma once

#include <string>

#include "proxy/net/memory_budget.hpp"

namespace tollgate::proxy {

class kept_memory {
 public:
  // Not counted: bounded by the number of connections.
  static constexpr std::size_t uncounted = 4 * 1024;
  // Up to here a body counts only in total, until half of the total is in use. Beyond, it also
  // counts for its owner, and is read only for a caller that can pay.
  static constexpr std::size_t small = 16 * 1024;

  explicit kept_memory(memory_budget& budget = memory_budget::shared()) : budget_{budget} {}
  ~kept_memory() { give_back(); }
  kept_memory(const kept_memory&) = delete;

  // Before the kept part has `capacity` bytes. `owner`: an organization, which outlives this.
  memory_outcome grow_to(std::size_t capacity, const std::string& owner) {
    if (capacity <= uncounted + taken_ + shared_) return memory_outcome::taken;
    const auto more = capacity - uncounted - taken_ - shared_;
    if (capacity <= small && !budget_.is_half_used()) {
      if (!budget_.take_body(more)) return memory_outcome::full;
      taken_ += more;
      return memory_outcome::taken;
    }
    const auto outcome = budget_.take_share(owner, more, shared_);
    if (outcome != memory_outcome::taken) return outcome;
    owner_ = &owner;
    shared_ += more;
    return outcome;
  }
  void give_back() {
    if (taken_ > 0) budget_.give_back_body(std::exchange(taken_, 0));
    if (shared_ > 0) budget_.give_back_share(*owner_, std::exchange(shared_, 0));
  }
  memory_budget& budget() { return budget_; }

 private:
  memory_budget& budget_;
  const std::string* owner_ = nullptr;
  std::size_t taken_ = 0, shared_ = 0;
};

}  // namespace tollgate::proxy
