// Sessions, kept in memory by the admin thread: a restart ends all of them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/net/deadline.hpp"
#include "quota/directory.hpp"

namespace tollgate::proxy::dashboard {

enum class role : std::uint8_t { admin, customer };

struct session {
  dashboard::role role = dashboard::role::customer;
  quota::org_id org;           // of a customer
  quota::key_hash credential;  // of the admin token or API key, which must stay valid
  steady_time began{}, seen{};
};

// `watch`: an open page that polls each second, or when something happens.
enum class session_use : std::uint8_t { call, watch };

class session_store {
 public:
  static constexpr std::chrono::hours max_age{12};
  static constexpr std::chrono::hours max_idle{1};
  static constexpr std::size_t max_sessions = 1000;
  // Keeps repeated logins with one credential from ending the sessions of others.
  static constexpr std::size_t max_of_a_credential = 20;

  // Returns the session's id, 256 random bits in hex; only its hash is kept.
  std::string begin(session who, steady_time now);
  // Null: unknown or expired. A call keeps a session from being idle; watching does not.
  const session* find(std::string_view id, steady_time now, session_use use = session_use::call);
  void end(std::string_view id);

  std::chrono::seconds time_left(const session& one, steady_time now) const;
  std::size_t size() const { return sessions_.size(); }

 private:
  using map = std::unordered_map<std::string, session>;
  template <class Predicate>
  void evict_least_recent(std::size_t most, Predicate among);

  map sessions_;  // by the hash of the id
};

}  // namespace tollgate::proxy::dashboard
