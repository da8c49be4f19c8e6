// Voids of reservations whose outcome is unknown: a hold may exist, or a reservation that is still
// on its way may make one.
//
// They are repeated until the ledger confirms them, but not for ever, and not without limit: such a
// hold ends by itself after its timeout. So a store that stays away for hours costs a fixed amount
// of memory, and not one void per refused call.
#pragma once

#include <cstdint>
#include <deque>

#include "proxy/net/deadline.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy {

class pending_voids {
 public:
  static constexpr std::size_t most = 10'000;
  static constexpr std::size_t most_at_once = 64;
  static constexpr std::chrono::milliseconds pause{500};  // after a failure

  explicit pending_voids(quota::ledger& ledger) : ledger_{ledger} {}

  // Sent at once, if it can be; repeated until the ledger confirms it, or until the hold has ended
  // by itself.
  void add(quota::org_id org, quota::operation what, steady_time until);
  // Sends what is due, if the store is ready. Call it every tick.
  void tick(steady_time now);

  std::size_t size() const { return waiting_.size() + sent_; }
  // Left to the timeouts of their holds.
  std::uint64_t given_up() const { return given_up_; }

 private:
  struct entry {
    quota::org_id org;
    quota::operation what;
    steady_time until;
  };

  void send_due();
  void send(entry what);

  quota::ledger& ledger_;
  std::deque<entry> waiting_;
  steady_time resume_at_{};
  bool failed_ = false;  // since the last tick
  bool pausing_ = false;
  std::size_t sent_ = 0;
  std::uint64_t given_up_ = 0;
};

}  // namespace tollgate::proxy
