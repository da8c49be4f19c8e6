// A quota::store in memory, for tests of code that opens one.
#pragma once

#include <algorithm>
#include <utility>

#include "quota/store.hpp"
#include "tests/support/memory_payments.hpp"
#include "tests/support/memory_retention.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/memory_webhooks.hpp"

namespace tollgate::tests {

// Every account whose time has come or that has open top-ups, as it is.
class memory_due_index final : public due_index {
 public:
  explicit memory_due_index(memory_store& accounts) : accounts_{accounts} {}

  task<result<std::vector<due_account>>> due(std::size_t, bool with_top_ups) override {
    std::vector<due_account> found;
    const auto orgs = co_await accounts_.list("", 1'000'000);
    if (!orgs) co_return orgs.error();
    for (const auto& org : *orgs) {
      const auto& ledger = accounts_.account(org.id);
      const auto next = ledger.next_due();
      if (next && *next <= accounts_.time) found.push_back({org.id, due_list::recent, 0});
      if (with_top_ups && !ledger.open_top_ups().empty())
        found.push_back({org.id, due_list::top_ups, 0});
    }
    co_return found;
  }
  task<result<void>> looked(std::vector<account_look>) override { co_return result<void>{}; }
  task<result<void>> walked(std::vector<account_look>) override { co_return result<void>{}; }
  task<result<bool>> claim_walk(milliseconds) override {
    co_return result<bool>{boost::system::in_place_value, false};
  }

 private:
  memory_store& accounts_;
};

// The first who presents a plan decides; nobody else's terms take effect without consent.
class memory_plans final : public plan_store {
 public:
  task<result<presented_plans>> present(std::string, std::vector<plan_terms> plans,
                                        plan_consent consent) override {
    presented_plans found;
    for (const auto& terms : plans) {
      const auto known = std::ranges::find(in_force, terms.plan, &plan_terms::plan);
      if (known == in_force.end()) {
        in_force.push_back(terms);
      } else if (*known != terms && consent == plan_consent::given) {
        found.replaced.push_back(std::exchange(*known, terms));
      } else if (*known != terms) {
        found.unconfirmed.push_back(terms.plan);
      }
    }
    found.in_force = in_force;
    co_return found;
  }
  store_state refused() const override { return {store_trouble::none, {}}; }
  task<result<void>> leave(std::string) override { co_return result<void>{}; }

  std::vector<plan_terms> in_force;
};

// The data that all connections to one store share.
struct memory_world {
  memory_store accounts;
  memory_webhooks webhooks{accounts};
  memory_payments payments;
  memory_retention retention{accounts};
  memory_plans plans;
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
  due_index& due() override { return due_; }
  plan_store& plans() override { return world_.plans; }
  task<result<store_memory>> memory() override { co_return store_memory{}; }

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
  memory_due_index due_{world_.accounts};
};

inline store_opener opener_of(memory_world& world) {
  return [&world](asio::io_context&) { return std::make_unique<memory_thread_store>(world); };
}

}  // namespace tollgate::tests
