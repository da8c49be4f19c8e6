#include "proxy/gateway/pending_voids.hpp"

#include <deque>

#include <gtest/gtest.h>

#include "tests/support/memory_store.hpp"

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

// Answers when the test says so.
class slow_ledger : public tests::memory_store {
 public:
  void submit(const quota::org_id& org, const quota::operation&, then done) override {
    orgs.push_back(org);
    asked_.push_back(std::move(done));
  }
  bool ready() const override { return is_ready; }
  void answer(result<quota::answer> reply) {
    auto done = std::move(asked_.front());
    asked_.pop_front();
    std::move(done)(std::move(reply));
  }

  bool is_ready = true;
  std::vector<quota::org_id> orgs;

 private:
  std::deque<then> asked_;
};

class pending_voids_test : public testing::Test {
 protected:
  void add(const quota::org_id& org, std::chrono::milliseconds lasts = 1min) {
    const auto id = quota::hold_id::make(ledger.time, 1, ++made);
    voids.add(org, quota::void_hold{id}, now + lasts);
  }
  void pass(std::chrono::milliseconds time = 50ms) { voids.tick(now += time); }

  slow_ledger ledger;
  pending_voids voids{ledger};
  steady_time now{};
  std::uint64_t made = 0;
};

TEST_F(pending_voids_test, end_when_they_are_confirmed) {
  add("a");
  EXPECT_EQ(voids.size(), 1u);
  EXPECT_EQ(ledger.orgs.size(), 1u);
  ledger.answer(quota::answer{quota::outcome::voided, {}, {}});
  EXPECT_EQ(voids.size(), 0u);
  EXPECT_EQ(voids.given_up(), 0u);
}

TEST_F(pending_voids_test, are_repeated_after_a_pause) {
  add("a");
  ledger.answer(quota::store_errc::unavailable);
  for (int i = 0; i < 9; ++i) pass();
  add("b");
  EXPECT_EQ(ledger.orgs.size(), 1u);
  pass(100ms);
  EXPECT_EQ(ledger.orgs.size(), 3u);
}

TEST_F(pending_voids_test, wait_for_a_store_that_is_ready) {
  ledger.is_ready = false;
  add("a");
  for (int i = 0; i < 100; ++i) pass();
  EXPECT_TRUE(ledger.orgs.empty());
  ledger.is_ready = true;
  pass();
  EXPECT_EQ(ledger.orgs.size(), 1u);
}

TEST_F(pending_voids_test, are_left_to_the_holds_timeout_after_a_while) {
  ledger.is_ready = false;
  add("a", 1s);
  add("b", 3s);
  pass(2s);
  EXPECT_EQ(voids.size(), 1u);
  EXPECT_EQ(voids.given_up(), 1u);
}

TEST_F(pending_voids_test, are_sent_a_few_at_a_time) {
  for (int i = 0; i < 1'000; ++i) add("a");
  pass();
  EXPECT_EQ(ledger.orgs.size(), pending_voids::most_at_once);
  pass();
  EXPECT_EQ(ledger.orgs.size(), pending_voids::most_at_once);
  for (std::size_t i = 0; i < pending_voids::most_at_once; ++i) {
    ledger.answer(quota::answer{quota::outcome::voided, {}, {}});
  }
  pass();
  EXPECT_EQ(ledger.orgs.size(), 2 * pending_voids::most_at_once);
}

TEST_F(pending_voids_test, are_bounded_in_number) {
  ledger.is_ready = false;
  for (std::size_t i = 0; i < pending_voids::most + 7; ++i) add("a");
  EXPECT_EQ(voids.size(), pending_voids::most);
  EXPECT_EQ(voids.given_up(), 7u);
}

}  // namespace
}  // namespace tollgate::proxy
