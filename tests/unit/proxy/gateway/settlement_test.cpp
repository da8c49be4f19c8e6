// The work on a charge that clients do not wait for: renewals, resolutions, and unresolved charges.
#include "proxy/gateway/settlement.hpp"

#include <deque>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "tests/support/memory_store.hpp"

namespace tollgate::proxy {
namespace {

using namespace quota::literals;
using namespace std::chrono_literals;

class settlements : public testing::Test {
 protected:
  settlements() {
    store.time = quota::time_point{quota::milliseconds{1'767'268'800'000}};
    grant(100_credits);
  }
  void grant(quota::credits amount, const char* id = "g") {
    const quota::operation what = quota::grant{id, amount, "purchase", {}};
    store.submit("acme", what, [](auto) {});
  }
  std::shared_ptr<open_charge> reserve(quota::credits price = 10_credits) {
    quota::charge::terms terms;
    terms.id = ids.next_hold_id(store.time);
    terms.price_at = {"gpt-4", price};
    terms.estimated = {1};
    terms.request_id = "req-1";
    auto charge = std::make_shared<open_charge>("acme", std::move(terms));
    charges.reserve(charge);
    return charge;
  }
  void settle(std::shared_ptr<open_charge> charge) {
    charges.end(std::move(charge), {quota::stream_end::accepted, {1}});
  }
  bool all_done() {
    for (int i = 0; i < 300 && charges.pending() > 0; ++i) {
      context.restart();
      charges.tick(std::chrono::steady_clock::now());
      context.run_one_for(10ms);
    }
    return charges.pending() == 0;
  }
  const quota::account_row& account() { return store.account("acme").row(); }

  using reservation = open_charge::reservation;
  asio::io_context context;
  tests::memory_store store;
  quota::random_id_source ids{1};
  settlement charges{context.get_executor(), store};
};

TEST_F(settlements, hold_and_settle) {
  const auto charge = reserve();
  EXPECT_EQ(charge->reserved, reservation::held);
  EXPECT_EQ(charges.pending(), 1U);
  EXPECT_EQ(charges.resolving(), 0U);
  settle(charge);
  EXPECT_EQ(charges.pending(), 0U);
  EXPECT_EQ(account().settled, 10_credits);
  EXPECT_EQ(charges.counted().settled, 1U);
  EXPECT_EQ(charges.counted().settled_micro, 10'000'000);
}

TEST_F(settlements, say_what_was_refused) {
  const auto charge = reserve(200_credits);
  EXPECT_EQ(charge->reserved, reservation::refused);
  EXPECT_EQ(charges.pending(), 0U);
  EXPECT_EQ(charge->money.available(), 100_credits);
}

TEST_F(settlements, void_what_nobody_knows) {
  store.calls_until_lost = 0;
  const auto charge = reserve();
  EXPECT_EQ(charge->reserved, reservation::unavailable);
  EXPECT_TRUE(all_done());
  EXPECT_EQ(account().held, 0_credits);
  EXPECT_EQ(account().available(), 100_credits);
}

TEST_F(settlements, are_repeated_until_the_ledger_has_answered) {
  const auto charge = reserve();
  store.reachable = false;
  settle(charge);
  EXPECT_EQ(charges.resolving(), 1U);
  context.restart();
  context.run_for(60ms);
  EXPECT_GT(charges.counted().retries, 0U);
  EXPECT_EQ(charges.pending(), 1U);
  store.reachable = true;
  EXPECT_TRUE(all_done());
  EXPECT_EQ(account().settled, 10_credits);
}

// Each stays in memory. The settlements of all threads share a quarter of what there is for bodies.
TEST_F(settlements, without_room_admit_no_new_call) {
  auto& budget = memory_budget::shared();
  constexpr auto block = resolution_room::a_block * resolution_room::bytes_of_one;
  budget.set_total(4 * block);
  grant(1'000_credits, "more");
  settlement other{context.get_executor(), store};
  std::vector<std::shared_ptr<open_charge>> open;
  for (int i = 0; i < 200; ++i) open.push_back(reserve(1_credits));
  store.reachable = false;
  std::size_t ended = 0;
  while (ended < open.size() && charges.has_room()) settle(open[ended++]);
  EXPECT_EQ(ended, resolution_room::uncounted + resolution_room::a_block);
  EXPECT_TRUE(other.has_room());
  EXPECT_EQ(budget.bodies(), block);
  for (; ended < open.size(); ++ended) settle(open[ended]);  // each that has begun is resolved
  store.reachable = true;
  for (int i = 0; i < 500 && charges.pending() > 0; ++i) {
    context.restart();
    context.run_for(10ms);
  }
  EXPECT_EQ(charges.pending(), 0U);
  charges.tick(std::chrono::steady_clock::now());
  EXPECT_TRUE(charges.has_room());
  EXPECT_EQ(budget.bodies(), 0u);
  budget.set_total(memory_budget::unlimited);
}

TEST_F(settlements, renew_holds_while_their_call_goes_on) {
  const auto charge = reserve();
  const steady_time later{20s};
  charges.tick(later);
  EXPECT_EQ(charges.counted().renewals, 1U);
  charges.tick(later + 10s);
  EXPECT_EQ(charges.counted().renewals, 1U);
  charges.tick(later + 20s);
  EXPECT_EQ(charges.counted().renewals, 2U);
  settle(charge);
}

TEST_F(settlements, tell_the_ledger_soon_that_an_answer_has_begun) {
  const auto charge = reserve();
  charges.began(*charge, {1});
  charges.answer_began(charge, {1});
  charges.tick(steady_time{2s});
  EXPECT_EQ(charges.counted().renewals, 1U);
  const auto other = reserve();
  charges.answer_began(other, {1});
  settle(other);  // while it is in the list of early renewals
  settle(charge);
  EXPECT_EQ(charges.pending(), 0U);
  EXPECT_EQ(account().settled, 20_credits);
}

TEST_F(settlements, wait_for_the_store_no_longer_than_they_are_told) {
  store.reachable = false;
  std::optional<bool> ready;
  asio::co_spawn(context, charges.store_ready(30ms),
                 [&](std::exception_ptr, bool answer) { ready = answer; });
  context.run();
  EXPECT_EQ(ready, false);
  asio::co_spawn(context, charges.store_ready(10s),
                 [&](std::exception_ptr, bool answer) { ready = answer; });
  context.restart();
  context.poll();
  store.reachable = true;
  context.run();
  EXPECT_EQ(ready, true);
}

// A ledger that answers later, so that a call can end before its reservation is answered.
class slow_store : public tests::memory_store {
 public:
  void submit(const quota::org_id& org, const quota::operation& operation, then done) override {
    const auto kept = std::make_shared<then>(std::move(done));
    asked_.push_back([=, this] { memory_store::submit(org, operation, std::move(*kept)); });
  }
  void answer() {
    const auto next = std::move(asked_.front());
    asked_.pop_front();
    next();
  }

 private:
  std::deque<std::function<void()>> asked_;
};

TEST(slow_settlements, void_a_hold_whose_call_ended_before_it_was_answered) {
  for (const auto granted : {0_credits, 100_credits}) {
    asio::io_context context;
    slow_store store;
    const quota::operation what = quota::grant{"g", granted, "purchase", {}};
    if (granted > 0_credits) store.memory_store::submit("acme", what, [](auto) {});
    settlement charges{context.get_executor(), store};
    quota::charge::terms terms;
    terms.id = quota::hold_id::make(store.time, 1, 2);
    terms.price_at = {"gpt-4", 10_credits};
    auto charge = std::make_shared<open_charge>("acme", std::move(terms));
    charges.reserve(charge);
    EXPECT_TRUE(charge->asking);
    charges.end(charge, {quota::stream_end::accepted, {1}});
    EXPECT_EQ(charges.pending(), 1U);
    store.answer();
    if (granted > 0_credits) store.answer();
    EXPECT_EQ(charges.pending(), 0U);
    EXPECT_EQ(store.account("acme").row().held, 0_credits);
    EXPECT_EQ(store.account("acme").row().settled, 0_credits);
  }
}

// A store that answers every operation with the same error.
class refusing_store : public tests::memory_store {
 public:
  explicit refusing_store(quota::store_errc why) : why_{why} {}
  task<result<quota::answer>> apply(const quota::org_id&, const quota::operation&) override {
    co_return why_;
  }
  void submit(const quota::org_id&, const quota::operation&, then done) override {
    ++asked;
    std::move(done)(result<quota::answer>{why_});
  }

  int asked = 0;

 private:
  quota::store_errc why_;
};

open_charge::reservation reserve_of(settlement& charges, quota::time_point now,
                                    std::uint64_t number) {
  quota::charge::terms terms;
  terms.id = quota::hold_id::make(now, 1, number);
  terms.price_at = {"gpt-4", 10_credits};
  const auto charge = std::make_shared<open_charge>("acme", std::move(terms));
  charges.reserve(charge);
  return charge->reserved;
}

TEST(refused_settlements, need_no_void_if_the_store_did_not_begin_them) {
  asio::io_context context;
  refusing_store store{quota::store_errc::not_applied};
  settlement charges{context.get_executor(), store};
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_EQ(reserve_of(charges, store.time, i), open_charge::reservation::unavailable);
  }
  EXPECT_EQ(charges.pending(), 0U);
  charges.tick(std::chrono::steady_clock::now());
  EXPECT_EQ(store.asked, 1'000);
}

TEST(refused_settlements, of_unknown_outcome_have_a_bounded_number_of_voids_for_a_bounded_time) {
  asio::io_context context;
  refusing_store store{quota::store_errc::unavailable};
  settlement charges{context.get_executor(), store};
  for (std::uint64_t i = 0; i < pending_voids::most + 5; ++i) reserve_of(charges, store.time, i);
  EXPECT_EQ(charges.pending(), pending_voids::most);
  EXPECT_EQ(charges.voids_given_up(), 5U);
  const auto begun = std::chrono::steady_clock::now();
  store.asked = 0;
  charges.tick(begun);
  charges.tick(begun + 50ms);
  EXPECT_EQ(store.asked, 0) << "after a failure there is a pause";
  charges.tick(begun + 1min);
  EXPECT_EQ(charges.pending(), pending_voids::most);
  charges.tick(begun + 3min);  // the holds have ended by themselves
  EXPECT_EQ(charges.pending(), 0U);
}

}  // namespace
}  // namespace tollgate::proxy
