// How long an unused connection to an upstream can be used again. The upstream may close it
// earlier than configured here, and a request that is sent at that moment is lost. So the limit is
// reduced by what the upstream announces, and by what it was seen to do.
#pragma once

#include <chrono>
#include <string_view>

#include "proxy/net/deadline.hpp"

namespace tollgate::proxy {

class idle_limit {
 public:
  using duration = std::chrono::steady_clock::duration;

  explicit idle_limit(duration configured) : configured_{configured}, learned_{configured} {}

  // The value of a Keep-Alive field ("timeout=5, max=100"), which holds for all connections.
  void announced(std::string_view keep_alive);
  // The upstream had closed a connection that was unused for `age`.
  void found_closed(duration age, steady_time now);
  // A request on a connection that was unused for `age` found it closed.
  void lost_request(duration age, steady_time now);

  bool allows(duration age, steady_time now) const { return age < at(now); }
  duration at(steady_time now) const;

  // What was learned from closed connections is forgotten: the limit doubles after this time.
  static constexpr std::chrono::seconds doubles_after{10};

 private:
  void learn(duration age, steady_time now);

  duration configured_;
  duration learned_;
  steady_time learned_at_{};
};

}  // namespace tollgate::proxy
