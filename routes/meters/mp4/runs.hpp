// A column of a table, stored as runs of equal values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "routes/meters/mp4/bytes.hpp"

namespace tollgate::routes::meters::mp4 {

class runs {
 public:
  struct run {
    std::uint32_t count = 0, value = 0;
  };

  void add(std::uint32_t count, std::uint32_t value) {
    if (count == 0) return;
    total_ = mp4::add(total_, count);
    const bool same = !runs_.empty() && runs_.back().value == value;
    if (same && runs_.back().count <= UINT32_MAX - count)
      runs_.back().count += count;
    else
      runs_.push_back({count, value});
  }
  void clear() {
    runs_.clear();
    total_ = 0;
  }

  // The memory it takes, whatever the counts claim.
  std::size_t entries() const { return runs_.size(); }
  std::uint64_t total() const { return total_; }

  // Iterates in order. Entries may be added meanwhile.
  class cursor {
   public:
    bool at_end(const runs& of) {
      while (run_ < of.runs_.size() && passed_ == of.runs_[run_].count) {
        if (run_ + 1 == of.runs_.size()) return true;  // this run may become longer
        ++run_;
        passed_ = 0;
      }
      return run_ >= of.runs_.size();
    }
    // Must not be at the end.
    std::uint32_t value(const runs& of) const { return of.runs_[run_].value; }
    // How many values from here on are equal.
    std::uint64_t alike(const runs& of) const { return of.runs_[run_].count - passed_; }
    // Skips `n` values and returns their sum. Past the end the sum is zero.
    std::uint64_t pass(const runs& of, std::uint64_t n) {
      std::uint64_t sum = 0;
      while (n > 0 && !at_end(of)) {
        const auto now = std::min(n, alike(of));
        sum = mp4::add(sum, multiply(now, value(of)));
        n -= now;
        passed_ += now;
      }
      return sum;
    }

   private:
    std::size_t run_ = 0;
    std::uint64_t passed_ = 0;
  };

 private:
  std::vector<run> runs_;
  std::uint64_t total_ = 0;
};

}  // namespace tollgate::routes::meters::mp4
