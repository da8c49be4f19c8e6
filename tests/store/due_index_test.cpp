// The index of accounts that are due: written before their operations, read by every sidecar,
// repaired by walks.
#include "quota/redis/due_index.hpp"

#include <gmock/gmock.h>

#include "quota/redis/batch_scheduler.hpp"
#include "quota/redis/directory.hpp"
#include "quota/redis/rows.hpp"
#include "quota/redis/store.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

enum : int { recent, later, top_ups };

class due_index_test : public store_test {
 protected:
  outcome reserve_one(const org_id& org, std::uint64_t number) {
    const auto id = hold_id::make(system_clock{}.now(), 0, number);
    return ask(store.apply(org, reserve{id, {}, milliseconds{60'000}, {}, {}, {}})).result;
  }
  std::int64_t score(int list, const org_id& org) {
    const auto reply = raw.call({"ZSCORE", std::string{due_keys[list]}, org});
    return parse_integer(text_of(*reply)).value_or(-1);
  }
  void set_score(int list, const org_id& org, std::int64_t score) {
    raw.call({"ZADD", std::string{due_keys[list]}, std::to_string(score), org});
  }
  std::int64_t now_ms() { return system_clock{}.now().time_since_epoch().count(); }
  std::int64_t zadds() {
    const auto stats = raw.call({"INFO", "commandstats"});
    const auto text = text_of(*stats);
    const auto at = text.find("cmdstat_zadd:calls=");
    if (at == text.npos) return 0;
    return std::stoll(std::string{text.substr(at + 19, 10)});
  }
  static account_look nothing_due(const due_account& account) { return {account, {}, false, {}}; }

  redis_store store{*redis};
  redis_due_index index{*redis};
};

TEST_F(due_index_test, an_account_with_operations_is_noted_once_in_a_while) {
  const auto before = zadds();
  EXPECT_EQ(reserve_one("acme", 1), outcome::held);
  const auto noted = score(recent, "acme");
  EXPECT_GT(noted, now_ms());
  EXPECT_LE(noted, now_ms() + default_look_after.count());
  for (std::uint64_t i = 2; i < 50; ++i) EXPECT_EQ(reserve_one("acme", i), outcome::held);
  EXPECT_EQ(zadds(), before + 1);
  EXPECT_THAT(ask(index.due(10, true)), IsEmpty());  // it is not its time
}

TEST_F(due_index_test, one_write_notes_many_accounts) {
  const auto before = zadds();
  int answered = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto id = hold_id::make(system_clock{}.now(), 0, i);
    store.submit("org" + std::to_string(i), reserve{id, {}, milliseconds{60'000}, {}, {}, {}},
                 [&](result<answer>) { ++answered; });
  }
  context.restart();
  while (answered < 100) context.run_one();
  EXPECT_EQ(zadds(), before + 1);
  EXPECT_GT(score(recent, "org99"), now_ms());
}

TEST_F(due_index_test, a_sweep_is_no_operation) {
  ask(store.apply("acme", expire_holds{}));
  EXPECT_EQ(score(recent, "acme"), -1);
}

TEST_F(due_index_test, an_entry_does_not_get_earlier) {
  set_score(recent, "acme", now_ms() + 100'000);
  reserve_one("acme", 1);
  EXPECT_GT(score(recent, "acme"), now_ms() + 90'000);
}

TEST_F(due_index_test, what_was_looked_at_leaves_until_it_is_due_next) {
  set_score(recent, "acme", 1);
  set_score(recent, "gone", 2);
  const auto due = ask(index.due(10, true));
  ASSERT_THAT(due, SizeIs(2));
  EXPECT_EQ(due[0].org, "acme");
  EXPECT_EQ(due[0].noted_ms, 1);
  ask(index.looked(
      {{due[0], time_point{milliseconds{now_ms() + 50'000}}, false, {}}, nothing_due(due[1])}));
  EXPECT_THAT(ask(index.due(10, true)), IsEmpty());
  EXPECT_EQ(score(recent, "acme"), -1);
  EXPECT_GT(score(later, "acme"), now_ms());
  EXPECT_EQ(score(later, "gone"), -1);

  set_score(later, "acme", 3);  // its time has come
  const auto again = ask(index.due(10, true));
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].from, due_list::later);
  ask(index.looked({nothing_due(again[0])}));
  EXPECT_EQ(score(later, "acme"), -1);
}

// An operation between the look and its note: the account is looked at again.
TEST_F(due_index_test, what_had_operations_meanwhile_stays) {
  set_score(recent, "acme", 1);
  const auto due = ask(index.due(10, true));
  reserve_one("acme", 1);
  ask(index.looked({nothing_due(due.at(0))}));
  EXPECT_GT(score(recent, "acme"), now_ms());
}

TEST_F(due_index_test, open_top_ups_have_a_list_of_their_own) {
  set_score(recent, "acme", 1);
  const auto due = ask(index.due(10, true));
  account_look look{due.at(0), {}, true, time_point{milliseconds{5}}};
  ask(index.looked({look}));
  const auto next = ask(index.due(10, true));
  ASSERT_THAT(next, SizeIs(1));
  EXPECT_EQ(next[0].from, due_list::top_ups);
  // Still open: it is visited again later.
  ask(index.looked({{next[0], {}, true, time_point{milliseconds{now_ms() + 9'000}}}}));
  EXPECT_THAT(ask(index.due(10, true)), IsEmpty());
  EXPECT_GT(score(top_ups, "acme"), now_ms());
  // Not open any more.
  set_score(top_ups, "acme", 6);
  ask(index.looked({nothing_due(ask(index.due(10, true)).at(0))}));
  EXPECT_EQ(score(top_ups, "acme"), -1);
}

TEST_F(due_index_test, a_sidecar_without_a_payment_endpoint_leaves_top_ups_to_others) {
  set_score(top_ups, "acme", 5);
  EXPECT_THAT(ask(index.due(10, false)), IsEmpty());
  EXPECT_THAT(ask(index.due(10, true)), SizeIs(1));
}

TEST_F(due_index_test, a_walk_adds_what_is_missing_and_removes_nothing) {
  set_score(recent, "busy", 7);
  account_look has_cycle{{"cycle", due_list::recent, 0}, time_point{milliseconds{99}}, false, {}};
  account_look has_top_up{{"top_up", due_list::recent, 0}, {}, true, time_point{milliseconds{88}}};
  ask(index.walked({has_cycle, has_top_up, nothing_due({"busy", due_list::recent, 0})}));
  EXPECT_EQ(score(later, "cycle"), 99);
  EXPECT_EQ(score(top_ups, "top_up"), 88);
  EXPECT_EQ(score(recent, "busy"), 7);
}

TEST_F(due_index_test, a_walk_brings_back_what_the_clock_left_behind) {
  const auto day = 86'400'000;
  set_score(recent, "acme", now_ms() + day);  // the clock was a day ahead
  ask(index.walked({nothing_due({"acme", due_list::recent, 0})}));
  EXPECT_LE(score(recent, "acme"), now_ms() + 61'000);
}

TEST_F(due_index_test, one_of_many_walks) {
  EXPECT_TRUE(ask(index.claim_walk(milliseconds{60'000})));
  EXPECT_FALSE(ask(index.claim_walk(milliseconds{60'000})));
}

// Its `next_due` is set by a script outside the ledger's library.
TEST_F(due_index_test, a_resumed_organization_is_looked_at_soon) {
  redis_directory directory{*redis};
  organization_change what;
  what.suspended = true;
  ask(directory.change("acme", what));
  what.suspended = false;
  ask(directory.change("acme", what));
  EXPECT_LE(score(recent, "acme"), now_ms() + 100);
  EXPECT_GT(score(recent, "acme"), 0);
}

// As after a failover that lost it, or while the store takes no writes.
TEST_F(due_index_test, a_write_that_failed_is_repeated) {
  raw.call({"SET", std::string{due_keys[0]}, "no sorted set"});
  EXPECT_EQ(reserve_one("acme", 1), outcome::held);
  raw.call({"DEL", std::string{due_keys[0]}});
  EXPECT_EQ(reserve_one("acme", 2), outcome::held);
  EXPECT_GT(score(recent, "acme"), now_ms());
}

}  // namespace
}  // namespace tollgate::quota::redis
