#include "proxy/gateway/awaited_connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

namespace tollgate::proxy {

std::shared_ptr<awaited_connection> awaited_connection::begin(io_executor executor,
                                                              upstream_pool& pool,
                                                              deadline_list& deadlines,
                                                              std::chrono::milliseconds timeout,
                                                              std::shared_ptr<const void> owner) {
  auto begun = std::make_shared<awaited_connection>(executor);
  deadlines.arm(*begun, timeout);
  auto connecting = pool.acquire(true, begun->interest_);
  asio::co_spawn(
      executor, std::move(connecting),
      [begun, owner = std::move(owner)](std::exception_ptr thrown, result<upstream_lease> outcome) {
        if (thrown) outcome = error_code{asio::error::no_memory};
        begun->made(std::move(outcome));
      });
  return begun;
}

// A connection that comes too late is closed.
void awaited_connection::made(result<upstream_lease> outcome) {
  deadline_list::disarm(*this);
  if (outcome_) return;
  outcome_.emplace(std::move(outcome));
  changed_.notify();
}

task<result<upstream_lease>> awaited_connection::wait() {
  while (!outcome_) co_await changed_.wait();
  co_return *std::move(outcome_);
}

void awaited_connection::give_up() {
  if (outcome_) return;
  outcome_.emplace(error_code{asio::error::operation_aborted});
  interest_.end();
  asio::post(executor_, [self = shared_from_this()] { self->changed_.notify(); });
}

void awaited_connection::on_deadline() {
  if (outcome_) return;
  outcome_.emplace(error_code{asio::error::timed_out});
  interest_.end();
  changed_.notify();
}

}  // namespace tollgate::proxy
