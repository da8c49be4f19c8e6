// Which operations are sent at once, and which wait for another write.
#include <chrono>
#include <optional>

#include <hiredis/hiredis.h>

#include "quota/redis/store.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

using std::chrono::steady_clock;

class departure_test : public store_test {
 protected:
  departure_test() {
    // The library is loaded by the first operation that needs it.
    ask(store.apply("acme", grant{"g1", credits::from_micro(1'000'000'000), "purchase", ""}));
    before = redis->counted();
  }

  reserve a_reservation(int number) const {
    return {a_hold(number),
            credits::from_micro(10),
            milliseconds{60'000},
            admission::enforce,
            "request",
            {}};
  }
  hold_id a_hold(int number) const {
    return hold_id::make(store.now(), static_cast<std::uint64_t>(number), 7);
  }
  void settle_it(const hold_id& id, const org_id& org = "acme") {
    store.submit(org, settle{id, credits::from_micro(10), 1},
                 [this](result<answer> got) { settled = got.value().result; });
  }
  std::uint64_t writes() const { return redis->counted().writes - before.writes; }
  std::uint64_t commands() const { return redis->counted().commands - before.commands; }

  redis_store store{*redis};
  store_traffic before;
  std::optional<outcome> settled;
};

TEST_F(departure_test, a_settlement_leaves_in_the_call_of_the_next_reservation) {
  const auto first = a_reservation(1);
  ask(store.apply("acme", first));
  settle_it(first.id);
  context.poll();  // one turn of the loop: nothing is sent
  EXPECT_EQ(commands(), 1);
  ask(store.apply("acme", a_reservation(2)));
  EXPECT_EQ(settled, outcome::settled);
  EXPECT_EQ(commands(), 2);
  EXPECT_EQ(writes(), 2);
}

TEST_F(departure_test, a_settlement_leaves_in_the_write_of_another_organization) {
  const auto first = a_reservation(1);
  ask(store.apply("acme", first));
  settle_it(first.id);
  ask(store.apply("globex", expire_holds{milliseconds{0}}));
  EXPECT_EQ(settled, outcome::settled);
  EXPECT_EQ(commands(), 3);
  EXPECT_EQ(writes(), 2);
}

TEST_F(departure_test, a_settlement_that_nothing_follows_leaves_alone) {
  const auto first = a_reservation(1);
  ask(store.apply("acme", first));
  const auto begun = steady_clock::now();
  settle_it(first.id);
  context.restart();
  while (!settled) context.run_one();
  EXPECT_GE(steady_clock::now() - begun, connection::max_linger);
  EXPECT_EQ(writes(), 2);
}

// Its answer no longer arrives, but the store has applied it.
TEST_F(departure_test, a_settlement_that_waits_leaves_when_the_connection_is_stopped) {
  const auto first = a_reservation(1);
  ask(store.apply("acme", first));
  std::optional<error_code> failed;
  store.submit("acme", settle{first.id, credits::from_micro(10), 1},
               [&](result<answer> got) { failed = got.error(); });
  redis->stop();
  EXPECT_EQ(failed, make_error_code(store_errc::unavailable));
  const auto settled_micro = [&] {
    const auto got = raw.call({"HGET", "tollgate:{acme}:account", "settled"});
    return got->type == REDIS_REPLY_STRING ? std::string{got->str, got->len} : std::string{};
  };
  for (int asked = 0; settled_micro() != "10"; ++asked) ASSERT_LT(asked, 100'000);
}

TEST_F(departure_test, a_settlement_that_waits_fails_when_the_store_goes) {
  std::optional<error_code> failed;
  {
    redis_store other{*redis};
    other.submit("acme", settle{a_hold(1), credits::from_micro(10), 1},
                 [&](result<answer> got) { failed = got.error(); });
  }
  EXPECT_EQ(failed, make_error_code(store_errc::not_applied));
}

}  // namespace
}  // namespace tollgate::quota::redis
