// A connection that is being made for a call, which may stop waiting for it: a lookup of a name
// cannot be interrupted, and a peer may be silent for all of `timeouts.connect`.
#pragma once

#include <memory>
#include <optional>

#include "proxy/gateway/upstream.hpp"
#include "proxy/net/wake_up.hpp"

namespace tollgate::proxy {

class awaited_connection : public std::enable_shared_from_this<awaited_connection>,
                           private deadline {
 public:
  // Begins to connect. `owner` keeps `pool` alive until the attempt has ended, which may be later
  // than the call. After `timeout`, which includes lookups, it counts as timed out.
  static std::shared_ptr<awaited_connection> begin(io_executor executor, upstream_pool& pool,
                                                   deadline_list& deadlines,
                                                   std::chrono::milliseconds timeout,
                                                   std::shared_ptr<const void> owner);
  explicit awaited_connection(io_executor executor) : executor_{executor} {}
  ~awaited_connection() override = default;

  // The connection, or why there is none; `operation_aborted` after give_up().
  task<result<upstream_lease>> wait();
  // Ends wait(), not before this function has returned.
  void give_up();

 private:
  void made(result<upstream_lease> outcome);
  void on_deadline() override;

  const io_executor executor_;
  connect_interest interest_;
  std::optional<result<upstream_lease>> outcome_;
  wake_up changed_;
};

}  // namespace tollgate::proxy
