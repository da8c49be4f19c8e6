// What a reservation could hold, read without the ledger: as the ledger in C++ says, whatever came
// before.
#include <random>

#include "quota/redis/store.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

class spendable_test : public store_test {
 protected:
  void apply(const operation& what) {
    ask(store.apply("acme", what));
    oracle.apply(what, store.now());
    EXPECT_EQ(ask(store.spendable("acme")), oracle.spendable());
  }

  redis_store store{*redis};
  account_ledger oracle;
};

TEST_F(spendable_test, is_nothing_for_an_account_that_does_not_exist) {
  EXPECT_EQ(ask(store.spendable("nobody")), credits{});
}

TEST_F(spendable_test, is_what_is_available_and_the_overage_that_is_left) {
  apply(grant{"g1", credits::from_whole(100), "purchase", ""});
  const auto held = hold_id::make(store.now(), 1, 7);
  apply(reserve{held, credits::from_whole(30), milliseconds{60'000}, admission::enforce, "r", {}});
  apply(settle{held, credits::from_whole(20), 1});
  EXPECT_EQ(ask(store.spendable("acme")), credits::from_whole(80));
  const plan_terms terms{"starter", {}, 0, 0, 20'000, 1'000, 0, 0};
  account_options options;
  options.overage = true;
  apply(configure{terms, true, options, 0});
  EXPECT_GT(ask(store.spendable("acme")), credits::from_whole(1'000'000));  // without a cap
  options.spend_cap_cents = 100;
  apply(configure{terms, true, options, 0});
  EXPECT_EQ(ask(store.spendable("acme")), credits::from_whole(130));  // a dollar buys 50
}

}  // namespace
}  // namespace tollgate::quota::redis
