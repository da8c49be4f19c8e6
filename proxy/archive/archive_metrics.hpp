// Counters of the archiver.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

#include "proxy/metrics/cells.hpp"

namespace tollgate::proxy::metrics {

// How long ago everything was archived. Any thread may ask: the archive may block the one that
// writes this, and the lag counts on.
class archive_lag {
 public:
  using clock = std::chrono::steady_clock;

  // From the first call on there is a lag.
  void caught_up(clock::time_point at) noexcept { caught_up_at_.store(at.time_since_epoch()); }
  // Until then another process was seen to archive, and this one has no lag.
  void led_by_another(clock::time_point until) noexcept {
    led_until_.store(until.time_since_epoch());
  }
  clock::duration at(clock::time_point now) const noexcept {
    const auto caught_up_at = caught_up_at_.load();
    const auto since_boot = now.time_since_epoch();
    const bool has_none = caught_up_at == clock::duration{} || since_boot < led_until_.load();
    return has_none ? clock::duration{} : std::max(since_boot - caught_up_at, clock::duration{});
  }

 private:
  std::atomic<clock::duration> caught_up_at_{clock::duration{}}, led_until_{clock::duration{}};
};

struct archive_metrics {
  counter entries, statements, failures;
  gauge leads;  // 1: this sidecar writes
  archive_lag lag;
};

}  // namespace tollgate::proxy::metrics
