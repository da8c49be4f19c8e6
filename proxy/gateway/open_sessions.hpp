// The open sessions of one thread, so that draining can end those that wait for another request.
#pragma once

#include <cstdint>

#include <boost/intrusive/list.hpp>

namespace tollgate::proxy {

class open_sessions {
 public:
  // Removes itself from the list when it ends.
  struct entry : boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    bool idle = false;  // between two requests
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
