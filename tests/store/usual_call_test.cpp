// The usual operations of many organizations are sent in one FCALL; an unusual organization is
// served too, without affecting the others.
#include <map>
#include <string>

#include <gmock/gmock.h>

#include "quota/redis/store.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

using std::chrono::hours;
using testing::Each;
using testing::Pair;

constexpr int organizations = 100;

class usual_call_test : public store_test {
 protected:
  usual_call_test() {
    for (int i = 0; i < organizations; ++i)
      ask(store.apply(name(i), grant{"g1", credits::from_micro(1'000), "purchase", ""}));
    before = redis->counted().commands;
  }

  static org_id name(int number) { return "org" + std::to_string(number); }
  static std::string account(int number) { return "tollgate:{" + name(number) + "}:account"; }
  hold_id id_of(int number, int round = 0) const {
    return hold_id::make(made_at, static_cast<std::uint64_t>(number),
                         static_cast<std::uint64_t>(round));
  }

  // Each organization submits an operation in the same turn; returns the results.
  template <class Make>
  std::map<org_id, outcome> all_submit(Make make) {
    std::map<org_id, outcome> became;
    for (int i = 0; i < organizations; ++i) {
      store.submit(name(i), make(i), [&became, org = name(i)](result<answer> got) {
        ASSERT_TRUE(got) << org << ": " << got.error().message();
        became[org] = got->result;
      });
    }
    context.restart();
    while (became.size() < organizations) context.run_one();
    return became;
  }
  std::map<org_id, outcome> all_reserve(int round = 0) {
    return all_submit([&](int i) {
      return reserve{id_of(i, round),
                     credits::from_micro(10),
                     milliseconds{60'000},
                     admission::enforce,
                     "request",
                     {}};
    });
  }
  std::map<org_id, outcome> all_settle(int round = 0) {
    return all_submit([&](int i) { return settle{id_of(i, round), credits::from_micro(10), 1}; });
  }
  std::uint64_t commands() {
    return redis->counted().commands - std::exchange(before, redis->counted().commands);
  }
  account_row state(int number) { return ask(store.snapshot(name(number))).row; }

  redis_store store{*redis};
  time_point made_at = store.now();
  std::uint64_t before = 0;
};

TEST_F(usual_call_test, organizations_share_calls) {
  EXPECT_THAT(all_reserve(), Each(Pair(testing::_, outcome::held)));
  EXPECT_EQ(commands(), 4);  // 32, 32, 32 and 4 organizations
  EXPECT_THAT(all_settle(), Each(Pair(testing::_, outcome::settled)));
  EXPECT_EQ(commands(), 4);
  for (const int number : {0, 31, 32, 99}) {
    EXPECT_EQ(state(number).settled, credits::from_micro(10));
    EXPECT_EQ(state(number).held, credits{});
  }
}

TEST_F(usual_call_test, a_repeated_call_changes_nothing) {
  all_reserve();
  EXPECT_THAT(all_reserve(), Each(Pair(testing::_, outcome::exists)));
  all_settle();
  EXPECT_THAT(all_settle(), Each(Pair(testing::_, outcome::already_settled)));
  EXPECT_THAT(all_reserve(), Each(Pair(testing::_, outcome::already_settled)));
  EXPECT_EQ(state(5).settled, credits::from_micro(10));
}

TEST_F(usual_call_test, an_unusual_account_is_served_by_a_call_of_its_own) {
  raw.call({"HSET", account(7), "suspended", "1"});
  auto became = all_reserve(0);
  EXPECT_EQ(became["org7"], outcome::suspended);
  EXPECT_EQ(became["org6"], outcome::held);
  EXPECT_EQ(commands(), 4 + 1);
  became = all_reserve(1);
  EXPECT_EQ(became["org7"], outcome::suspended);
  EXPECT_EQ(commands(), 4 + 1) << "it is known to be unusual";
}

TEST_F(usual_call_test, an_error_of_one_account_ends_no_other_charge) {
  raw.call({"DEL", "tollgate:{org40}:holds"});
  raw.call({"SET", "tollgate:{org40}:holds", "not a hash"});
  std::map<org_id, std::string> became;
  for (int i = 0; i < organizations; ++i) {
    store.submit(name(i),
                 reserve{id_of(i),
                         credits::from_micro(10),
                         milliseconds{60'000},
                         admission::enforce,
                         "request",
                         {}},
                 [&became, org = name(i)](result<answer> got) {
                   became[org] = got ? std::string{to_string(got->result)} : "failed";
                 });
  }
  context.restart();
  while (became.size() < organizations) context.run_one();
  for (int i = 0; i < organizations; ++i) {
    if (i == 40) {
      EXPECT_EQ(became[name(i)], "failed");
    } else {
      EXPECT_THAT(became[name(i)], testing::AnyOf("held", "exists")) << i;
      EXPECT_EQ(state(i).held, credits::from_micro(10)) << i;
    }
  }
}

TEST_F(usual_call_test, a_store_that_takes_no_writes_answers_repetitions) {
  all_reserve(0);
  all_settle(0);
  all_reserve(1);
  raw.call({"CONFIG", "SET", "maxmemory", "1"});
  const auto settled = all_settle(0);
  const auto reserved = all_reserve(1);
  raw.call({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_THAT(settled, Each(Pair(testing::_, outcome::already_settled)));
  EXPECT_THAT(reserved, Each(Pair(testing::_, outcome::exists)));
}

TEST_F(usual_call_test, an_entry_that_cannot_be_written_places_no_hold) {
  raw.call({"DEL", "tollgate:{org3}:ledger"});
  raw.call({"SET", "tollgate:{org3}:ledger", "not a stream"});
  const reserve asked{
      id_of(3), credits::from_micro(10), milliseconds{60'000}, admission::enforce, "request", {}};
  EXPECT_FALSE(outcome_of(store.apply(name(3), asked)));
  raw.call({"DEL", "tollgate:{org3}:ledger"});
  EXPECT_EQ(ask(store.apply(name(3), asked)).result, outcome::held);
  EXPECT_EQ(state(3).held, credits::from_micro(10));
}

// As many arguments as a settlement and a reservation, and an id that looks like a settlement.
TEST_F(usual_call_test, other_operations_of_the_same_length_are_not_taken_for_a_usual_call) {
  const auto held = id_of(5);
  ask(store.apply(
      name(5),
      reserve{
          held, credits::from_micro(10), milliseconds{60'000}, admission::enforce, "request", {}}));
  std::vector<outcome> became;
  const auto note = [&](result<answer> got) { became.push_back(got.value().result); };
  store.submit(name(5), grant{"s", credits::from_micro(5), "promotion", ""}, note);
  store.submit(name(5), release{held, credits::from_micro(4)}, note);
  context.restart();
  while (became.size() < 2) context.run_one();
  EXPECT_THAT(became, testing::ElementsAre(outcome::granted, outcome::released));
}

TEST_F(usual_call_test, ids_and_usage_of_another_hour_are_counted_in_theirs) {
  redis->clock().synchronize(store.now() - hours{2});
  made_at = store.now();
  EXPECT_THAT(all_reserve(), Each(Pair(testing::_, outcome::held)));
  EXPECT_LT(made_at + hours{1}, store.now()) << "the first answer has set the clock right";
  EXPECT_THAT(all_settle(), Each(Pair(testing::_, outcome::settled)));
  EXPECT_THAT(all_settle(), Each(Pair(testing::_, outcome::already_settled)));
}

TEST_F(usual_call_test, a_store_that_has_lost_the_library_gets_it_again) {
  raw.call({"FUNCTION", "FLUSH"});
  EXPECT_THAT(all_reserve(), Each(Pair(testing::_, outcome::held)));
  EXPECT_THAT(all_settle(), Each(Pair(testing::_, outcome::settled)));
}

}  // namespace
}  // namespace tollgate::quota::redis
