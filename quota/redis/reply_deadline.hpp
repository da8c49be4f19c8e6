// Whether the replies of a connection are late, without a timer per command: one tick every eighth
// of the timeout compares what was sent with what was answered. Pure.
//
// Ticks are counted, not time: after a stop of this process its replies have as long as before.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "quota/clock.hpp"

namespace tollgate::quota::redis {

struct connection_counts {
  std::uint64_t sent = 0, answered = 0;  // commands
  std::uint64_t bytes_in = 0;
  std::uint64_t reports = 0;  // unanswered commands with long answers
};

class reply_deadline {
 public:
  static constexpr int ticks = 8;  // in the timeout

  // A command has to be answered within `timeout`; if a report is among the unanswered commands and
  // bytes are arriving, within `report_timeout`.
  reply_deadline(milliseconds timeout, milliseconds report_timeout)
      : every_{std::max(timeout / ticks, milliseconds{1})},
        patience_{std::max<std::int64_t>((report_timeout - timeout) / every_, 0)} {}

  milliseconds tick_every() const { return every_; }
  // Of a new connection.
  void restart(const connection_counts& now) {
    sent_.fill(now.sent);
    bytes_in_ = now.bytes_in;
    silent_ = overdue_ = 0;
  }
  // True: what was sent eight ticks ago is not all answered, though it should be.
  bool is_late(const connection_counts& now) {
    auto& oldest = sent_[at_++ % ticks];
    const bool overdue = now.answered < oldest;
    oldest = now.sent;
    silent_ = now.bytes_in == bytes_in_ ? silent_ + 1 : 0;
    bytes_in_ = now.bytes_in;
    overdue_ = overdue ? overdue_ + 1 : 0;
    return overdue && (now.reports == 0 || silent_ >= ticks || overdue_ > patience_);
  }

 private:
  milliseconds every_;
  std::int64_t patience_;
  std::array<std::uint64_t, ticks> sent_{};
  std::uint64_t bytes_in_ = 0;
  std::size_t at_ = 0;
  std::int64_t silent_ = 0, overdue_ = 0;
};

}  // namespace tollgate::quota::redis
