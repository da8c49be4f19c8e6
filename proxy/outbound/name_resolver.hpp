// Host names into addresses, several at a time. Asio looks names up on one thread, one after the
// other, and a lookup cannot be interrupted: whoever owns a name could hold up everybody else's.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>

#include "quota/task.hpp"

namespace tollgate::proxy::outbound {

class name_resolver {
 public:
  explicit name_resolver(std::size_t threads) : pool_{threads} {}

  // Waits no longer than until `give_up`; the lookup itself may take longer, and is then forgotten.
  task<result<std::vector<asio::ip::tcp::endpoint>>> resolve(
      std::string host, std::uint16_t port, std::chrono::steady_clock::time_point give_up);

 private:
  asio::thread_pool pool_;
};

}  // namespace tollgate::proxy::outbound
