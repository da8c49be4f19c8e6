// The open sessions of one thread, so that draining can end those that wait for another request,
// and calls end with their caller's access.
#pragma once

#include <cstdint>

#include <boost/intrusive/list.hpp>

#include "proxy/gateway/key_cache.hpp"

namespace tollgate::proxy {

// A call that is under way.
class admitted_call {
 public:
  // Null: it has not been admitted by its key yet, or is not bound to it.
  virtual const quota::key_hash* admitted_by() = 0;
  // Its key was revoked, or its organization suspended. It ends soon, as its route says.
  virtual void lost_access(key_cache::standing how) = 0;

 protected:
  ~admitted_call() = default;
};

class open_sessions {
 public:
  // Removes itself from the list when it ends.
  struct entry : boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    bool idle = false;              // between two requests
    admitted_call* call = nullptr;  // the one that it serves
    virtual void cut() = 0;

   protected:
    ~entry() = default;
  };

  void opened(entry& session) {
    ++connections_;
    list_.push_back(session);
  }
  void closed() { --connections_; }
  std::int64_t connections() const { return connections_; }

  void exchange_started() { ++in_flight_; }
  void exchange_finished() { --in_flight_; }
  std::int64_t in_flight() const { return in_flight_; }

  // Ends calls whose key is not in force any more. Called often enough, they end within 2 s.
  void end_what_lost_access(key_cache& keys, steady_time now) {
    for (auto it = list_.begin(); it != list_.end();) {
      auto& session = *it++;  // it may end and leave the list at once
      const auto* key = session.call != nullptr ? session.call->admitted_by() : nullptr;
      if (key == nullptr) continue;
      const auto how = keys.watch(*key, now);
      const bool lost =
          how == key_cache::standing::revoked || how == key_cache::standing::suspended;
      if (lost) session.call->lost_access(how);
    }
  }

  // From now on a session ends after its current exchange.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }
  void cut_idle() { cut(true); }
  void cut_all() { cut(false); }

 private:
  void cut(bool only_idle) {
    for (auto it = list_.begin(); it != list_.end();) {
      auto& session = *it++;  // it may end and leave the list at once
      if (session.idle || !only_idle) session.cut();
    }
  }

  boost::intrusive::list<entry, boost::intrusive::constant_time_size<false>> list_;
  std::int64_t connections_ = 0, in_flight_ = 0;
  bool draining_ = false;
};

}  // namespace tollgate::proxy
