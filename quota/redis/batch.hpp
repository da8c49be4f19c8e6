// Operations of one organization that are sent together: applied in one atomic step, answered
// together.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "quota/ledger.hpp"
#include "quota/redis/connection.hpp"
#include "quota/redis/ledger_protocol.hpp"

namespace tollgate::quota::redis {

class batch_scheduler;

class batch final : public reply_sink {
 public:
  batch(org_id org, std::shared_ptr<batch_scheduler> from);

  // For another organization, once all operations are answered. Without a scheduler, for none.
  void reset(const org_id& org, std::shared_ptr<batch_scheduler> from);

  const org_id& org() const { return org_; }
  const ledger_batch& operations() const { return operations_; }
  bool full() const { return operations_.full(); }
  void add(const operation& operation, ledger::then then);

  // Sends the batch as an FCALL of its own. If the store does not have the library, or needs keys
  // that are not named, nothing was applied and the batch is sent again.
  static void send(std::unique_ptr<batch> self);
  void complete(error_code ec, const redisReply* reply) noexcept override;

  // Loads it before the next command of the connection: commands of one connection keep their
  // order.
  static void load_library(connection& connection);

  // The library's answer to all operations.
  void answered(std::string_view text);
  // An attempt met an error in the middle: what a later attempt says of itself is not all there is.
  void may_be_applied() { may_be_applied_ = true; }
  // The operations end with an error, and the next batch may be sent.
  void land(error_code ec);
  void fail(error_code ec);

 private:
  bool may_go_again() { return ++tries_ < 5; }
  void go_again() { send(std::make_unique<batch>(std::move(*this))); }
  void refused(std::string_view error);

  org_id org_;
  std::shared_ptr<batch_scheduler> from_;
  ledger_batch operations_;
  std::vector<ledger::then> waiters_;  // one per operation, in order
  int tries_ = 0;
  bool read_only_ = false;  // no writes: only operations that need none are answered
  bool may_be_applied_ = false;
};

}  // namespace tollgate::quota::redis
