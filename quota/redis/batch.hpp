// Operations of one organization on their way: applied in one atomic step, answered together.
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

  // For another organization, once all operations are answered; or, without a scheduler, for none.
  void reset(const org_id& org, std::shared_ptr<batch_scheduler> from);

  const org_id& org() const { return org_; }
  const ledger_batch& operations() const { return operations_; }
  bool full() const { return operations_.full(); }
  void add(const operation& operation, ledger::then then);

  // Goes out as an FCALL of its own. Where the store does not have the library, or needs other keys
  // than are named, nothing was applied and it goes out again.
  static void send(std::unique_ptr<batch> self);
  void complete(error_code ec, const redisReply* reply) noexcept override;

  // Before the next command of the connection. Commands of one connection keep their order.
  static void load_library(connection& connection);

  // What the library has answered to all operations.
  void answered(std::string_view text);
  // The operations end with an error, and the next batch may leave.
  void land(error_code ec);
  void fail(error_code ec);

 private:
  bool may_go_again() { return ++tries_ < 5; }
  void go_again() { send(std::make_unique<batch>(std::move(*this))); }
  void refused(std::string_view error);

  org_id org_;
  std::shared_ptr<batch_scheduler> from_;
  ledger_batch operations_;
  std::vector<ledger::then> waiters_;  // of the operations, in their order
  int tries_ = 0;
  bool read_only_ = false;  // the store takes no writes: only what needs none is answered
};

}  // namespace tollgate::quota::redis
