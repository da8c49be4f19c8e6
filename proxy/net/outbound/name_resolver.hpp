// Resolves several host names at a time. Asio resolves on one thread, one name after the other, and
// a lookup cannot be interrupted: a slow name could delay all others.
//
// So a party may have only a few lookups running, simultaneous requests for a name share one
// lookup, a request without a waiting caller is dropped, and a name that took long to fail is not
// looked up again for a while.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy::outbound {

class name_resolver {
 public:
  using time = std::chrono::steady_clock::time_point;
  struct answer {
    error_code failed;
    std::vector<asio::ip::address> found;
  };
  // Called on the resolver's own threads. May take any time.
  using lookup = std::function<answer(const std::string& host)>;

  static constexpr std::size_t most_of_one = 2;  // lookups of one party that run at once
  // A lookup that failed after `slow` is not repeated for `rest`.
  static constexpr std::chrono::seconds slow{2}, rest{30};

  // Uses at most this many threads, which are started on demand. `how`: the system's resolver,
  // except in tests.
  explicit name_resolver(std::size_t threads, lookup how = {});
  // Does not wait for lookups: their threads end with them.
  ~name_resolver();
  name_resolver(const name_resolver&) = delete;
  name_resolver& operator=(const name_resolver&) = delete;

  // Waits until `give_up` at most. `whose`: the requesting party; lookups of one party wait for
  // each other. Must be called on one thread.
  task<result<std::vector<asio::ip::tcp::endpoint>>> resolve(std::string host, std::uint16_t port,
                                                             time give_up, std::string whose = {});

 private:
  struct shared;
  std::shared_ptr<shared> shared_;  // shared with the threads, which may outlive this object
};

}  // namespace tollgate::proxy::outbound
