// The order in which the addresses of a name are tried: as RFC 8305 section 4 orders them, except
// that addresses that did not answer come last for a while.
#pragma once

#include <chrono>
#include <map>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace tollgate::proxy {

class address_memory {
 public:
  using endpoint = boost::asio::ip::tcp::endpoint;
  using time = std::chrono::steady_clock::time_point;

  // An address comes last for `first_rest` after it did not answer, then for twice as long, and so
  // on. It is tried again in between if no other one answers.
  static constexpr std::chrono::seconds first_rest{30}, longest_rest{3600};
  static constexpr std::size_t most_addresses = 1000;

  // Families alternate, beginning with the first one; resting addresses come behind all others.
  std::vector<endpoint> in_order(const std::vector<endpoint>& found, time now) const;

  void answered(const endpoint& which) { resting_.erase(which); }
  // It failed, or had not answered when a later one did.
  void did_not_answer(const endpoint& which, time now);

 private:
  struct rest {
    time until;
    std::chrono::seconds length;
  };
  std::map<endpoint, rest> resting_;
};

}  // namespace tollgate::proxy
