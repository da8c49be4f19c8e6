// The open sessions of one thread: draining ends those that wait for another request, calls end
// with their caller's access, and when there are too many connections, those that wait make room
// for new ones.
#pragma once

#include <cstdint>

#include <boost/intrusive/list.hpp>

#include "proxy/gateway/crowding_log.hpp"
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
    bool leaving = false;           // cut to make room
    bool ending = false;            // its last answer was sent
    admitted_call* call = nullptr;  // the one that it serves
    virtual void cut() = 0;
    virtual bool is_known() const = 0;  // its client has shown a valid API key

   protected:
    ~entry() = default;
  };

  void opened(entry& session) {
    ++connections_;
    strangers_.push_back(session);
  }
  void closed(const entry& session) {
    --connections_;
    if (session.leaving) --leaving_;
  }
  std::int64_t connections() const { return connections_; }
  // Those that were cut and have not ended yet do not count.
  bool is_full(std::int64_t most) const { return connections_ - leaving_ >= most; }

  // The session waits for its client.
  void waits(entry& session) { move(session, session.is_known() ? waiting_ : strangers_); }
  // Its client may close the connection any time: nothing more is owed to it.
  void ends(entry& session) {
    session.ending = true;
    move(session, strangers_);
  }
  // It is in use: it will not be cut to make room, once its client is known.
  void busy(entry& session) {
    if (session.is_known()) move(session, busy_);
  }
  // Cuts the session that has waited longest; of those whose clients are not known, if there are
  // any. False: all are in use.
  bool make_room();

  void exchange_started() { ++in_flight_; }
  void exchange_finished() { --in_flight_; }
  std::int64_t in_flight() const { return in_flight_; }

  // Ends calls whose key is not in force any more. Called often enough, they end within 2 s.
  void end_what_lost_access(key_cache& keys, steady_time now);

  crowding_log crowding;  // says when connections are refused

  // From now on a session ends after its current exchange.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }
  void cut_idle() { cut(true); }
  void cut_all() { cut(false); }

 private:
  using list = boost::intrusive::list<entry, boost::intrusive::constant_time_size<false>>;

  // The client of a stranger's session has become known in the call that it makes now.
  static bool is_in_use(const entry& session) { return session.is_known() && !session.ending; }
  static void move(entry& session, list& to) {
    if (session.leaving) return;
    session.unlink();
    to.push_back(session);
  }
  void cut(bool only_idle);
  // `use` may end the session, which leaves its list at once.
  template <class Use>
  void for_each(Use use) {
    for (auto* each : {&strangers_, &waiting_, &busy_}) {
      for (auto it = each->begin(); it != each->end();) use(*it++);
    }
  }

  list strangers_, waiting_, busy_;
  std::int64_t connections_ = 0, leaving_ = 0, in_flight_ = 0;
  bool draining_ = false;
};

inline bool open_sessions::make_room() {
  while (!strangers_.empty() && is_in_use(strangers_.front())) move(strangers_.front(), busy_);
  auto& from = strangers_.empty() ? waiting_ : strangers_;
  if (from.empty()) return false;
  auto& session = from.front();
  move(session, busy_);
  session.leaving = true;
  ++leaving_;
  session.cut();
  return true;
}

inline void open_sessions::cut(bool only_idle) {
  for_each([only_idle](entry& session) {
    if (session.idle || !only_idle) session.cut();
  });
}

inline void open_sessions::end_what_lost_access(key_cache& keys, steady_time now) {
  for_each([&](entry& session) {
    const auto* key = session.call != nullptr ? session.call->admitted_by() : nullptr;
    if (key == nullptr) return;
    const auto how = keys.watch(*key, now);
    const bool lost = how == key_cache::standing::revoked || how == key_cache::standing::suspended;
    if (lost) session.call->lost_access(how);
  });
}

}  // namespace tollgate::proxy
