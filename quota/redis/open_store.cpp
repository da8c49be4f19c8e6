#include "quota/redis/open_store.hpp"

#include "quota/redis/directory.hpp"
#include "quota/redis/due_index.hpp"
#include "quota/redis/guards.hpp"
#include "quota/redis/payment_store.hpp"
#include "quota/redis/plan_store.hpp"
#include "quota/redis/retention.hpp"
#include "quota/redis/store.hpp"
#include "quota/redis/store_memory.hpp"
#include "quota/redis/webhook_store.hpp"

namespace tollgate::quota::redis {

namespace {

class thread_store final : public store {
 public:
  thread_store(asio::io_context& context, const address& where, store_options options)
      : connection_{make_store_connection(context, where,
                                          {.timeout = options.timeout,
                                           .report_timeout = options.report_timeout,
                                           .on_state = options.on_state,
                                           .on_refusal = options.on_refusal},
                                          options.access)},
        ledger_{*connection_} {
    ledger_.use_rules(options.pack_idle_totals, options.critical);
    ledger_.look_after(options.look_after);
    ledger_.use_memory(options.memory);
  }

  void start() override { connection_->start(); }
  void stop() override { connection_->stop(); }

  quota::ledger& ledger() override { return ledger_; }
  account_history& history() override { return ledger_; }
  quota::directory& directory() override { return directory_; }
  guard_store& guards() override { return guards_; }
  retention_store& retention() override { return retention_; }
  payment_store& payments() override { return payments_; }
  webhook_store& webhooks() override { return webhooks_; }

  due_index& due() override { return due_; }
  plan_store& plans() override { return plans_; }
  task<result<store_memory>> memory() override { return read_memory(*connection_); }

  task<result<void>> ask_time() override { return connection_->ask_time(); }
  std::uint64_t times_set_back() const override { return connection_->times_set_back(); }
  store_traffic traffic() const override { return connection_->counted(); }
  store_state state() const override { return connection_->state(); }
  std::string refusal() const override { return connection_->refusal(); }

 private:
  std::unique_ptr<connection> connection_;
  redis_store ledger_;
  redis_directory directory_{*connection_};
  redis_guards guards_{*connection_};
  redis_retention retention_{*connection_};
  redis_payment_store payments_{*connection_};
  redis_webhook_store webhooks_{*connection_};
  redis_due_index due_{*connection_};
  redis_plan_store plans_{*connection_};
};

}  // namespace

std::unique_ptr<store> open_store(asio::io_context& context, const address& where,
                                  store_options options) {
  return std::make_unique<thread_store>(context, where, std::move(options));
}

}  // namespace tollgate::quota::redis
