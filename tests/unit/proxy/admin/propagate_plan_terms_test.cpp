#include "proxy/admin/propagate_plan_terms.hpp"

#include <gtest/gtest.h>

#include "tests/support/memory_store.hpp"
#include "tests/support/run_task.hpp"

namespace tollgate::proxy::admin {
namespace {

using namespace quota::literals;

class propagate_plan_terms_test : public testing::Test {
 protected:
  propagate_plan_terms_test() {
    store.time = quota::time_point{quota::milliseconds{1'767'268'800'000}};
    config::plan_settings plan;
    plan.name = plan.terms.plan = "starter";
    plan.terms.allocation = 20'000_credits;
    plan.terms.usd_micro_per_credit = 20'000;
    configuration->values.plans.push_back(plan);
    agree("acme", "starter", plan.terms);
  }

  quota::plan_terms& starter() { return configuration->values.plans[0].terms; }

  void agree(const quota::org_id& org, std::string plan, quota::plan_terms terms) {
    quota::organization_change change;
    change.plan = std::move(plan);
    tests::run_task(store.change(org, change));
    quota::configure what;
    what.terms = std::move(terms);
    what.options.spend_cap_cents = 5'000;
    const quota::operation configure = what;
    tests::run_task(store.apply(org, configure));
  }

  const quota::account_plan& after(const quota::org_id& org = "acme") {
    const auto handing_on = [this]() -> task<bool> {
      co_await propagate_plan_terms(store, store, store, configuration);
      co_return true;
    };
    tests::run_task(handing_on());
    return *store.account(org).plan();
  }

  tests::memory_store store;
  std::shared_ptr<config::configuration> configuration = std::make_shared<config::configuration>();
};

TEST_F(propagate_plan_terms_test, what_has_not_changed_is_left_alone) {
  const auto events = store.account("acme").events().size();
  EXPECT_FALSE(after().next_terms);
  EXPECT_EQ(store.account("acme").events().size(), events);
}

TEST_F(propagate_plan_terms_test, new_terms_begin_with_the_next_cycle) {
  starter().usd_micro_per_credit = 30'000;
  const auto& plan = after();
  EXPECT_EQ(plan.terms.usd_micro_per_credit, 20'000);
  ASSERT_TRUE(plan.next_terms);
  EXPECT_EQ(plan.next_terms->usd_micro_per_credit, 30'000);
  EXPECT_EQ(plan.options.spend_cap_cents, 5'000);
}

TEST_F(propagate_plan_terms_test, the_old_terms_again_take_them_back) {
  starter().usd_micro_per_credit = 30'000;
  after();
  starter().usd_micro_per_credit = 20'000;
  EXPECT_FALSE(after().next_terms);
}

TEST_F(propagate_plan_terms_test, another_plan_is_not_its_business) {
  auto terms = starter();
  terms.plan = "pro";
  agree("other", "starter", terms);  // the ledger does not know of a change of plan yet
  EXPECT_FALSE(after("other").next_terms);
}

TEST_F(propagate_plan_terms_test, without_the_store_it_ends) {
  starter().usd_micro_per_credit = 30'000;
  store.reachable = false;
  EXPECT_FALSE(after().next_terms);
}

}  // namespace
}  // namespace tollgate::proxy::admin
