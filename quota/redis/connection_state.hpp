// The one owner of the state of a connection: its phase, and the trouble it is in. Nothing else
// decides whether commands are taken, and everybody who is told of a change is told from here.
//
//   waiting ──► connecting ──► greeting ──► ready ──► retiring
//      ▲             │             │          │           │
//      └─────────────┴─────────────┴──────────┴───────────┘
//
// The phase is that of the socket. The trouble is why the store as a whole takes no operations. It
// outlives a socket: it ends when a check has succeeded, and not before. A ready connection may be
// in trouble: a store without memory answers reads, and refuses writes by itself.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "quota/store_state.hpp"

namespace tollgate::quota::redis {

enum class connection_phase : std::uint8_t {
  waiting,     // for the next attempt; also before the first
  connecting,  // resolves the name, opens a socket
  greeting,    // connected; only the commands of the greeting are sent
  ready,       // takes commands
  retiring,    // takes no more commands, waits for the replies to those that were sent
  stopped,
};

class connection_state {
 public:
  using listener = std::function<void(const store_state&)>;

  explicit connection_state(listener on_change) : on_change_{std::move(on_change)} {}

  connection_phase phase() const { return phase_; }
  bool takes_commands() const { return phase_ == connection_phase::ready; }
  bool is_connected() const {
    return phase_ == connection_phase::greeting || phase_ == connection_phase::ready ||
           phase_ == connection_phase::retiring;
  }
  bool is_stopped() const { return phase_ == connection_phase::stopped; }

  // A connection that was stopped stays so.
  void enter(connection_phase next) {
    if (!is_stopped()) phase_ = next;
  }

  const store_state& told() const { return told_; }
  const store_trouble_counts& counted() const { return counted_; }
  std::uint64_t times_met() const { return times_met_; }
  void met(store_trouble trouble, std::string detail) {
    ++times_met_;
    ++counted_[static_cast<std::size_t>(trouble)];
    tell({trouble, std::move(detail)});
  }
  // A check of the whole way, with the script, has succeeded.
  void checked() { tell({store_trouble::none, {}}); }

 private:
  // The detail may differ from reply to reply; it is not told for that alone.
  void tell(store_state next) {
    if (next.trouble == told_.trouble || is_stopped()) return;
    told_ = std::move(next);
    if (on_change_) on_change_(told_);
  }

  listener on_change_;
  connection_phase phase_ = connection_phase::waiting;
  store_state told_;
  store_trouble_counts counted_{};
  std::uint64_t times_met_ = 0;
};

}  // namespace tollgate::quota::redis
