// The open sessions of one thread: draining ends those that wait for another request, calls end
// with their caller's access, and when there are too many connections, those that wait for their
// clients make room for new ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "proxy/gateway/crowding_log.hpp"
#include "proxy/gateway/key_cache.hpp"
#include "proxy/gateway/refused_connections.hpp"

namespace tollgate::proxy {

// A call that is under way.
class admitted_call {
 public:
  // Null: it has not been admitted by its key yet, or is not bound to it.
  virtual const quota::key_hash* admitted_by() = 0;
  // Its key was revoked, or its organization suspended. It ends soon, as its route says.
  virtual void lost_access(key_cache::standing how) = 0;
  // Whether it can be cut to make room.
  enum class wait : std::uint8_t {
    for_others,  // for the store or the upstream, or an answer is on its way: not cut
    for_client,  // to send or to read; it holds no credits and uses no upstream
    for_upload   // for the client to send the rest; it holds credits or an upstream
  };
  virtual wait waits() const = 0;

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
    virtual bool is_known() const = 0;             // its client has shown a valid API key
    virtual const std::string& payer() const = 0;  // the organization of its last call, if known

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
  // They take memory all the same: one that waits for the store ends with the store's answer.
  bool has_too_many_leaving(std::int64_t most) const {
    return connections_ >= most + spare_of(most);
  }
  // How many connections there are beyond the limit, at most, of those that end.
  static constexpr std::int64_t spare_of(std::int64_t most) { return most / 8 + 1; }

  // The session waits for its client.
  void waits(entry& session) { move(session, session.is_known() ? waiting_ : strangers_); }
  // Its client may close the connection any time: nothing more is owed to it.
  void ends(entry& session) {
    session.ending = true;
    move(session, strangers_);
  }
  // It is in use: it is cut only while its call waits for its client, once that is known.
  void busy(entry& session) {
    if (session.is_known()) move(session, busy_);
  }
  // Cuts sessions that wait for their clients: of the organization that has the most of them, so
  // that none takes the connections of another. Uploads under way are cut only of an organization
  // that has more than half of all connections. Clients that are not known are one group; they go
  // first, unless they are few. In each group, those go first that have waited longest between two
  // calls. The search reads all sessions, so it cuts several if there are many.
  // False: all are in use.
  bool make_room(steady_time now);

  void exchange_started() { ++in_flight_; }
  void exchange_finished() { --in_flight_; }
  std::int64_t in_flight() const { return in_flight_; }

  // Ends calls whose key is not in force any more. Called often enough, they end within 2 s.
  void end_what_lost_access(key_cache& keys, steady_time now);

  crowding_log crowding;        // says when connections are refused
  refused_connections refused;  // until their clients have the answer

  // From now on a session ends after its current exchange.
  void drain() { draining_ = true; }
  bool draining() const { return draining_; }
  void cut_idle() { cut(true); }
  void cut_all() { cut(false); }

 private:
  using list = boost::intrusive::list<entry, boost::intrusive::constant_time_size<false>>;

  // An organization, or all clients that are not known: the name is empty.
  struct group {
    std::string name;
    std::int64_t idle = 0, uploads = 0;  // can be cut
  };
  static admitted_call::wait wait_of(const entry& session);
  static std::string_view group_of(const entry& session);
  // With the uploads only if it has more than half of all connections.
  group largest_group();
  std::int64_t cut_some(const group& from, admitted_call::wait which, std::int64_t most);
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
  steady_time all_in_use_at_{};  // the last search found none to cut
};

}  // namespace tollgate::proxy
