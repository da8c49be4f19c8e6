// When to poll a pending payment: less often the older it is. Pure.
//
// Each sidecar keeps its own times: polling twice is harmless.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "quota/clock.hpp"
#include "quota/ids.hpp"

namespace tollgate::proxy::payments {

class poll_schedule {
 public:
  static constexpr quota::milliseconds shortest{5'000}, longest = std::chrono::hours{6};

  // A quarter of its age: some forty times on the first day, then four times a day.
  static constexpr quota::milliseconds pause_at(quota::milliseconds age) {
    return std::clamp(age / 4, shortest, longest);
  }

  // True: poll now, and not again before the pause is over. `requested` and `now` must be from the
  // same clock.
  bool take_turn(const quota::org_id& org, const std::string& top_up, quota::time_point requested,
                 quota::time_point now) {
    auto& next = next_[{org, top_up}];
    // A clock that has gone back does not stop the polling.
    if (now < next && next - now <= longest) return false;
    next = now + pause_at(now - requested);
    if (next_.size() > most) next_.clear();  // some were resolved by other sidecars
    return true;
  }
  void forget(const quota::org_id& org, const std::string& top_up) { next_.erase({org, top_up}); }
  std::size_t size() const { return next_.size(); }

 private:
  static constexpr std::size_t most = 10'000;

  std::map<std::pair<quota::org_id, std::string>, quota::time_point> next_;
};

}  // namespace tollgate::proxy::payments
