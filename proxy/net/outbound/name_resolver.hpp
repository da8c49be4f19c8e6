// Resolves host names, several at a time. Asio resolves on one thread, one name after the other,
// and a lookup cannot be interrupted: a slow name could delay all others.
//
// So a party has only a few lookups under way, simultaneous questions for a name share one lookup,
// a question without a waiting caller is dropped, and a name that took long to fail is not looked
// up again for a while.
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
  // Called on threads of the resolver's own. May take any time.
  using lookup = std::function<answer(const std::string& host)>;

  static constexpr std::size_t most_of_one = 2;  // lookups of one party under way
  // A lookup that failed after `slow` is not repeated for `rest`.
  static constexpr std::chrono::seconds slow{2}, rest{30};

  // At most so many threads, which begin when they are needed. `how`: the system's resolver,
  // unless a test has another.
  explicit name_resolver(std::size_t threads, lookup how = {});
  // Waits for no lookup: its thread ends when it does.
  ~name_resolver();
  name_resolver(const name_resolver&) = delete;
  name_resolver& operator=(const name_resolver&) = delete;

  // Waits no longer than until `give_up`. `whose` question it is: those of one party wait for each
  // other. To be called on one thread.
  task<result<std::vector<asio::ip::tcp::endpoint>>> resolve(std::string host, std::uint16_t port,
                                                             time give_up, std::string whose = {});

 private:
  struct shared;
  std::shared_ptr<shared> shared_;  // with the threads, which may outlive this
};

}  // namespace tollgate::proxy::outbound
