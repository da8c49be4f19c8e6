// The memory of reads whose size follows what callers have left in an account: so many names, so
// many counters.
#pragma once

#include <cstddef>

#include "quota/ids.hpp"

namespace tollgate::quota {

// What bounds the memory of such reads. Any thread.
class read_budget {
 public:
  virtual ~read_budget() = default;

  // False: there is not so much now, or not for this organization.
  virtual bool take(const org_id& org, std::size_t bytes) = 0;
  virtual void give_back(const org_id& org, std::size_t bytes) = 0;
};

// What one read has taken. Gives it back at its end.
class read_loan {
 public:
  // Of each read. What bounds it is the number of reads that are under way.
  static constexpr std::size_t uncounted = 64 * 1024;

  // Without `from` nothing bounds it. `org` outlives it.
  read_loan(read_budget* from, const org_id& org) : from_{from}, org_{org} {}
  ~read_loan() {
    if (taken_ > 0) from_->give_back(org_, taken_);
  }
  read_loan(const read_loan&) = delete;

  // Before so many bytes more are in use. After the first refusal the read has to end.
  bool grow(std::size_t bytes) {
    used_ += bytes;
    return (used_ <= uncounted + taken_ && !refused_) || extend();
  }
  bool refused() const { return refused_; }

 private:
  bool extend() {
    if (from_ == nullptr || refused_) return !refused_;
    constexpr std::size_t step = 64 * 1024;
    const auto more = (used_ - uncounted - taken_ + step - 1) / step * step;
    refused_ = !from_->take(org_, more);
    if (!refused_) taken_ += more;
    return !refused_;
  }

  read_budget* from_;
  const org_id& org_;
  std::size_t used_ = 0, taken_ = 0;
  bool refused_ = false;
};

}  // namespace tollgate::quota
