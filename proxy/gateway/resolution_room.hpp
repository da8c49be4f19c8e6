// The memory of resolutions that the store has not confirmed, of one thread. All threads together
// have a quarter of `limits.buffered`, which is taken in blocks: a usual call takes nothing.
#pragma once

#include <cstddef>

#include "proxy/net/memory_budget.hpp"

namespace tollgate::proxy {

class resolution_room {
 public:
  static constexpr std::size_t bytes_of_one = 2 * 1024;  // a charge, its operation, its record
  static constexpr std::size_t a_block = 64;
  // Of each thread.
  static constexpr std::size_t uncounted = 64;

  explicit resolution_room(memory_budget& budget = memory_budget::shared()) : budget_{budget} {}
  ~resolution_room() { fit(0); }
  resolution_room(const resolution_room&) = delete;

  // Whether there is room for one more than these.
  bool admits(std::size_t resolving) {
    while (resolving >= uncounted + taken_) {
      if (!budget_.take_resolutions(a_block * bytes_of_one)) return false;
      taken_ += a_block;
    }
    return true;
  }
  // Gives back what so many do not need.
  void fit(std::size_t resolving) {
    while (taken_ > 0 && resolving < uncounted + taken_ - a_block) {
      budget_.give_back_resolutions(a_block * bytes_of_one);
      taken_ -= a_block;
    }
  }

 private:
  memory_budget& budget_;
  std::size_t taken_ = 0;
};

}  // namespace tollgate::proxy
