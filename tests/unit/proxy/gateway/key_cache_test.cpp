// A thread's cache of API keys: entries are used for a while, and refreshed before they are too
// old.
#include "proxy/gateway/key_cache.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "tests/support/memory_store.hpp"

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

class keys : public testing::Test {
 protected:
  keys() { play(store.add_key("acme", {"key_1", {}, {}, {}}, hash)); }

  template <class T>
  T play(task<T> work) {
    std::optional<T> out;
    asio::co_spawn(context, std::move(work),
                   [&](std::exception_ptr, T value) { out.emplace(std::move(value)); });
    context.restart();
    context.poll();
    return *std::move(out);
  }
  void run() {
    context.restart();
    context.poll();
  }

  const quota::key_hash hash = quota::hash_key("tg_live_1");
  asio::io_context context;
  tests::memory_store store;
  key_cache cache{context.get_executor(), store};
  const steady_time start{1h};
};

TEST_F(keys, are_looked_up_once_and_then_known) {
  EXPECT_EQ(cache.fresh(hash, start), nullptr);
  const auto found = play(cache.look_up(hash, start));
  EXPECT_EQ(found->value().org, "acme");
  EXPECT_EQ(found->value().key_id, "key_1");
  ASSERT_NE(cache.fresh(hash, start), nullptr);
  EXPECT_EQ(cache.fresh(hash, start + key_cache::max_age), nullptr);
  cache.prune(start + key_cache::max_age + 1ms);
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(keys, are_no_more_than_there_is_room_for) {
  for (std::size_t i = 0; i <= key_cache::max_entries; ++i) {
    const auto each = quota::hash_key(std::to_string(i));
    play(store.add_key("acme", {std::to_string(i), {}, {}, {}}, each));
    play(cache.look_up(each, start));
  }
  EXPECT_EQ(cache.size(), 1U);  // the others must be looked up again
}

TEST_F(keys, that_nobody_has_are_not_remembered) {
  const auto found = play(cache.look_up(quota::hash_key("tg_live_2"), start));
  EXPECT_TRUE(found.has_value());
  EXPECT_FALSE(found->has_value());
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(keys, are_refreshed_beside_their_use) {
  play(cache.look_up(hash, start));
  const auto later = start + key_cache::refresh_age;
  EXPECT_NE(cache.fresh(hash, later), nullptr);
  run();
  EXPECT_NE(cache.fresh(hash, start + key_cache::max_age), nullptr);
}

TEST_F(keys, that_were_revoked_are_forgotten_when_they_are_refreshed) {
  play(cache.look_up(hash, start));
  play(store.revoke_key("acme", "key_1"));
  EXPECT_NE(cache.fresh(hash, start + key_cache::refresh_age), nullptr);
  run();
  EXPECT_EQ(cache.fresh(hash, start + key_cache::refresh_age), nullptr);
}

TEST_F(keys, of_open_calls_are_watched) {
  using standing = key_cache::standing;
  EXPECT_EQ(cache.watch(hash, start), standing::unknown);  // asks
  run();
  EXPECT_EQ(cache.watch(hash, start), standing::in_force);
  ASSERT_NE(cache.fresh(hash, start), nullptr);
  play(store.revoke_key("acme", "key_1"));
  EXPECT_EQ(cache.watch(hash, start + key_cache::refresh_age), standing::in_force);
  run();
  const auto later = start + key_cache::refresh_age + 1ms;
  EXPECT_EQ(cache.watch(hash, later), standing::revoked);
  EXPECT_EQ(cache.fresh(hash, later), nullptr);
}

TEST_F(keys, of_open_calls_are_watched_for_a_suspension_too) {
  using standing = key_cache::standing;
  quota::organization_change change;
  change.suspended = true;
  play(store.change("acme", change));
  play(cache.look_up(hash, start));
  EXPECT_EQ(cache.watch(hash, start), standing::suspended);
  EXPECT_NE(cache.fresh(hash, start), nullptr);  // the ledger refuses its calls
  change.shadow = true;
  play(store.change("acme", change));
  play(cache.look_up(hash, start));
  EXPECT_EQ(cache.watch(hash, start), standing::in_force);
}

TEST_F(keys, of_open_calls_are_not_lost_while_the_store_is_away) {
  using standing = key_cache::standing;
  store.reachable = false;
  EXPECT_EQ(cache.watch(hash, start), standing::unknown);
  run();
  EXPECT_EQ(cache.watch(hash, start), standing::unknown);
  store.reachable = true;
  run();
  cache.watch(hash, start);
  run();
  EXPECT_EQ(cache.watch(hash, start), standing::in_force);
}

TEST_F(keys, know_what_their_account_was_seen_to_have) {
  play(cache.look_up(hash, start));
  EXPECT_FALSE(cache.spendable(hash, start).has_value());
  cache.remember_spendable(hash, quota::credits::from_micro(5), start);
  EXPECT_EQ(cache.spendable(hash, start), quota::credits::from_micro(5));
  play(cache.look_up(hash, start));  // a refresh keeps it
  EXPECT_EQ(cache.spendable(hash, start), quota::credits::from_micro(5));
  EXPECT_FALSE(cache.spendable(hash, start + key_cache::max_age).has_value());
}

TEST_F(keys, are_believed_for_as_long_while_the_store_is_away) {
  play(cache.look_up(hash, start));
  store.reachable = false;
  EXPECT_FALSE(play(cache.look_up(hash, start)).has_value());
  EXPECT_NE(cache.fresh(hash, start + key_cache::refresh_age), nullptr);
  run();
  EXPECT_NE(cache.fresh(hash, start + key_cache::refresh_age), nullptr);
  EXPECT_EQ(cache.fresh(hash, start + key_cache::max_age), nullptr);
}

}  // namespace
}  // namespace tollgate::proxy
