// The time of a call, divided into parts without gap or overlap: together they are its total. At
// each moment the time counts for one part.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include "proxy/gateway/exchange/call_part.hpp"
#include "proxy/net/deadline.hpp"

namespace tollgate::proxy {

class call_times {
 public:
  explicit call_times(steady_time started) : since_{started} {}

  // From now on the time counts for `next`; returns the part before.
  call_part enter(call_part next, steady_time now = std::chrono::steady_clock::now()) {
    spent_[static_cast<std::size_t>(current_)] += now - since_;
    since_ = now;
    return std::exchange(current_, next);
  }
  call_part current() const { return current_; }
  // Of the parts that have ended.
  std::int64_t us(call_part part) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               spent_[static_cast<std::size_t>(part)])
        .count();
  }

 private:
  steady_time since_;
  call_part current_ = call_part::overhead;
  std::array<std::chrono::steady_clock::duration, call_part_count> spent_{};
};

// Counts a wait for a part, and returns to the part before. Once the response has begun, its part
// takes all time: an upload may still be going on beside it.
class waiting_for {
 public:
  waiting_for(call_times& times, call_part part) : times_{times}, part_{part} {
    if (times.current() != call_part::response) before_ = times.enter(part);
  }
  ~waiting_for() {
    if (before_ != call_part::response && times_.current() == part_) times_.enter(before_);
  }
  waiting_for(const waiting_for&) = delete;

 private:
  call_times& times_;
  const call_part part_;
  call_part before_ = call_part::response;
};

}  // namespace tollgate::proxy
