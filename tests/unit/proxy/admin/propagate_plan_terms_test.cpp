#include "proxy/admin/propagate_plan_terms.hpp"

#include <fmt/format.h>
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

  // The whole walk.
  const quota::account_plan& after(const quota::org_id& org = "acme") {
    walk = {.configuration = configuration, .after = {}, .failed = {}};
    while (step() && !walk.complete()) {
    }
    return *store.account(org).plan();
  }
  bool step() { return tests::run_task(propagate_plan_terms(store, store, store, walk)); }

  void agree_many(int count) {
    for (int i = 0; i < count; ++i) agree(name(i), "starter", starter());
  }
  static quota::org_id name(int i) { return fmt::format("many-{:03}", i); }
  bool is_told(const quota::org_id& org) {
    return store.account(org).plan()->next_terms.has_value();
  }
  int told(int count) {
    int found = 0;
    for (int i = 0; i < count; ++i) found += is_told(name(i)) ? 1 : 0;
    return found;
  }

  terms_walk walk;
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

TEST_F(propagate_plan_terms_test, without_the_store_it_stops) {
  starter().usd_micro_per_credit = 30'000;
  store.reachable = false;
  EXPECT_FALSE(after().next_terms);
  EXPECT_FALSE(walk.complete());
}

// The store fails after any number of answers, and comes back: in the end all have their terms.
TEST_F(propagate_plan_terms_test, a_walk_that_stopped_continues_where_it_was) {
  constexpr int count = 12;
  for (int answers = 1; answers < 3 * count; ++answers) {
    SCOPED_TRACE(answers);
    agree_many(count);
    starter().usd_micro_per_credit = starter().usd_micro_per_credit + 1'000;
    const auto price = starter().usd_micro_per_credit;
    store.calls_until_lost = answers;
    after();
    const bool stopped = !walk.complete();
    const auto stopped_at = walk.after;
    ASSERT_TRUE(step());
    EXPECT_TRUE(walk.complete());
    EXPECT_GE(walk.after, stopped_at);
    EXPECT_EQ(stopped, store.calls_until_lost < 0);
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(is_told(name(i))) << i;
      EXPECT_EQ(store.account(name(i)).plan()->next_terms->usd_micro_per_credit, price);
    }
  }
}

TEST_F(propagate_plan_terms_test, a_walk_has_steps_of_a_hundred) {
  agree_many(250);
  starter().usd_micro_per_credit = 30'000;
  walk.configuration = configuration;
  EXPECT_TRUE(step());  // with acme
  EXPECT_EQ(told(250), 99);
  EXPECT_TRUE(step());
  EXPECT_FALSE(walk.complete());
  EXPECT_TRUE(step());
  EXPECT_TRUE(walk.complete());
  EXPECT_EQ(told(250), 250);
}

// One account that this version cannot read delays nobody else, and gets its terms when it can be.
TEST_F(propagate_plan_terms_test, one_unreadable_account_is_visited_again) {
  agree_many(250);
  starter().usd_micro_per_credit = 30'000;
  store.unreadable = {name(7)};
  after();
  EXPECT_EQ(told(250), 249);
  EXPECT_FALSE(walk.complete());
  EXPECT_FALSE(step());
  store.unreadable.clear();
  EXPECT_TRUE(step());
  EXPECT_TRUE(walk.complete());
  EXPECT_EQ(told(250), 250);
}

// Not more than a few are remembered: the walk waits for them.
TEST_F(propagate_plan_terms_test, many_unreadable_accounts_stop_the_walk) {
  agree_many(350);
  starter().usd_micro_per_credit = 30'000;
  for (int i = 0; i < 350; ++i) store.unreadable.insert(name(i));
  after();
  EXPECT_LE(walk.failed.size(), 200u);
  EXPECT_FALSE(walk.visited_all);
  store.unreadable.clear();
  while (!walk.complete()) ASSERT_TRUE(step());
  EXPECT_EQ(told(350), 350);
}

}  // namespace
}  // namespace tollgate::proxy::admin
