// A quota::store in memory, for tests of code that opens one.
#pragma once

#include "quota/store.hpp"
#include "tests/support/memory_payments.hpp"
#include "tests/support/memory_retention.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/memory_webhooks.hpp"

namespace tollgate::tests {

// The data that all connections to one store share.
struct memory_world {
  memory_store accounts;
  memory_webhooks webhooks{accounts};
  memory_payments payments;
  memory_retention retention{accounts};
  std::uint64_t connects = 1;
  std::uint64_t times_set_back = 0;
};

class memory_thread_store final : public store, guard_store {
 public:
  explicit memory_thread_store(memory_world& world) : world_{world} {}

  void start() override {}
  void stop() override { world_.accounts.reachable = false; }

  quota::ledger& ledger() override { return world_.accounts; }
  account_history& history() override { return world_.accounts; }
  quota::directory& directory() override { return world_.accounts; }
  guard_store& guards() override { return *this; }
  retention_store& retention() override { return world_.retention; }
  payment_store& payments() override { return world_.payments; }
  webhook_store& webhooks() override { return world_.webhooks; }

  task<result<void>> ask_time() override {
    if (!world_.accounts.reachable) co_return store_errc::unavailable;
    co_return result<void>{};
  }
  std::uint64_t times_set_back() const override { return world_.times_set_back; }
  store_state state() const override {
    return {world_.accounts.reachable ? store_trouble::none : store_trouble::unreachable, {}};
  }
  store_traffic traffic() const override { return {.connects = world_.connects}; }
  std::string refusal() const override { return {}; }

 private:
  // Used by `tollgate verify`, which needs a real store.
  task<result<account_guards>> guards(const org_id&) override { co_return store_errc::unavailable; }

  memory_world& world_;
};

inline store_opener opener_of(memory_world& world) {
  return [&world](asio::io_context&) { return std::make_unique<memory_thread_store>(world); };
}

}  // namespace tollgate::tests
