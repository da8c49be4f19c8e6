#include "proxy/gateway/journal/replay.hpp"

#include <random>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "tests/support/memory_store.hpp"

namespace tollgate::proxy::journal {
namespace {

using namespace std::chrono_literals;
using quota::credits;
using quota::milliseconds;

const quota::time_point start_of_time{1'800'000'000'000ms};
constexpr auto price = credits::from_micro(2'000'000);

// Stops the replay in the middle of an operation: before it is applied, or after that and before
// its answer.
class breaking_store : public tests::memory_store {
 public:
  task<result<quota::answer>> apply(const quota::org_id& org,
                                    const quota::operation& what) override {
    const bool breaks = operations_left >= 0 && operations_left-- == 0;
    if (breaks) stop();
    if (breaks && before_it_is_done) co_return quota::store_errc::unavailable;
    const auto reply = co_await memory_store::apply(org, what);
    if (breaks) co_return quota::store_errc::unavailable;
    co_return reply;
  }

  int operations_left = -1;  // unlimited
  bool before_it_is_done = false;
  std::function<void()> stop;
};

class journal_replay : public testing::Test {
 protected:
  journal_replay() { use_account("acme"); }

  void use_account(std::string name) {
    org = std::move(name);
    store.time = start_of_time;
    apply(quota::grant{"g", credits::from_micro(100'000'000), "purchase", ""});
  }

  quota::answer apply(const quota::operation& what) {
    return store.account(org).apply(what, store.time);
  }

  unconfirmed_charge charge(std::uint64_t number, bool settles = true) {
    unconfirmed_charge what;
    what.start.id = quota::hold_id::make(start_of_time, 0, number);
    what.start.org = org;
    what.start.price_at.price = price;
    what.start.hold_timeout_ms = 60'000;
    what.used = 1;
    what.settles = settles;
    return what;
  }
  void hold(const unconfirmed_charge& what) {
    apply(quota::reserve{what.start.id, price, 60'000ms, {}, {}, {}});
  }

  replay_report run(const contents& journal) {
    asio::io_context context;
    replay again{context.get_executor(), store};
    store.stop = [&again] { again.stop(); };
    replay_report report;
    asio::co_spawn(context, again.run(journal),
                   [&](std::exception_ptr, replay_report done) { report = done; });
    context.run();
    return report;
  }
  credits settled() { return store.account(org).row().settled; }

  // A few calls, some of which were settled, voided or never held before their sidecar was killed.
  contents some_calls(std::mt19937& random) {
    contents journal;
    for (std::uint64_t number = 0; number < 12; ++number) {
      const bool settles = random() % 4 != 0;
      journal.charges.push_back(charge(number, settles));
      if (random() % 4 != 0) hold(journal.charges.back());
      if (random() % 4 != 0) continue;
      const auto& id = journal.charges.back().start.id;
      apply(settles ? quota::operation{quota::settle{id, price}}
                    : quota::operation{quota::void_hold{id}});
    }
    return journal;
  }
  static credits price_of(const contents& journal) {
    credits all;
    for (const auto& each : journal.charges) all += each.settles ? price : credits{};
    return all;
  }
  // A replay that is killed before it is complete, at any operation.
  replay_report run_and_break_off(const contents& journal, std::mt19937& random) {
    store.operations_left = static_cast<int>(random() % 30);
    store.before_it_is_done = random() % 2 == 0;
    const auto report = run(journal);
    store.operations_left = -1;
    return report;
  }

  breaking_store store;
  quota::org_id org;
};

TEST_F(journal_replay, settles_and_voids_what_is_held) {
  contents journal{{charge(1), charge(2, false)}, {}, {}, {}, {}};
  hold(journal.charges[0]);
  hold(journal.charges[1]);
  const auto report = run(journal);
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.settled, 1u);
  EXPECT_EQ(report.voided, 1u);
  EXPECT_EQ(report.charged, price);
  EXPECT_EQ(settled(), price);
  EXPECT_EQ(store.account(org).row().held, credits{});
}

TEST_F(journal_replay, charges_once_however_often_it_is_repeated) {
  contents journal{{charge(1), charge(2), charge(3, false)}, {}, {}, {}, {}};
  for (const auto& each : journal.charges) hold(each);
  run(journal);
  const auto again = run(journal);
  EXPECT_EQ(again.settled, 0u);
  EXPECT_EQ(again.known, 3u);
  EXPECT_EQ(settled(), price + price);
}

TEST_F(journal_replay, charges_a_hold_that_has_expired_under_its_successor_and_once) {
  contents journal{{charge(1)}, {}, {}, {}, {}};
  hold(journal.charges[0]);
  store.time += 2min;
  apply(quota::expire_holds{});
  EXPECT_EQ(run(journal).settled, 1u);
  store.time += 2min;
  EXPECT_EQ(run(journal).known, 1u);
  EXPECT_EQ(settled(), price);
}

TEST_F(journal_replay, charges_once_between_one_and_two_days_after) {
  contents journal{{charge(1), charge(2), charge(3)}, {}, {}, {}, {}};
  for (const auto& each : journal.charges) hold(each);
  store.time += 26h;
  EXPECT_EQ(run(journal).settled, 3u);
  store.time += 5s;
  EXPECT_EQ(run(journal).known, 3u);
  store.time += 20h;
  EXPECT_EQ(run(journal).known, 3u);
  EXPECT_EQ(settled(), price + price + price);
}

TEST_F(journal_replay, charges_once_whenever_and_however_often_it_is_broken_off_and_repeated) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    use_account("org" + std::to_string(seed));
    const auto journal = some_calls(random);
    for (auto times = random() % 5; times > 0; --times) {
      store.time = start_of_time +
                   std::chrono::seconds{random() % (48 * 3600)};  // the clock may also be set back
      run_and_break_off(journal, random);
      ASSERT_LE(settled(), price_of(journal));
    }
    store.time = start_of_time + std::chrono::seconds{random() % (48 * 3600)};
    EXPECT_TRUE(run(journal).complete);
    ASSERT_EQ(settled(), price_of(journal));
  }
}

// After a long time, charges that have not been made may be dropped, reported as `forgotten`;
// nothing is charged twice.
TEST_F(journal_replay, charges_at_most_once_whatever_the_clock_does) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    use_account("org" + std::to_string(seed));
    const auto journal = some_calls(random);
    for (auto times = random() % 8; times > 0; --times) {
      store.time = start_of_time + std::chrono::hours{random() % (20 * 24)};
      run_and_break_off(journal, random);
      ASSERT_LE(settled(), price_of(journal));
    }
    EXPECT_TRUE(run(journal).complete);
    ASSERT_LE(settled(), price_of(journal));
  }
}

// The ledger knew at what amount to settle the hold, and did; the journal has a higher usage.
TEST_F(journal_replay, charges_the_rest_of_what_was_settled_when_it_expired_and_once) {
  contents journal{{charge(1), charge(2)}, {}, {}, {}, {}};
  auto& audio = journal.charges[0];
  audio.start.price_at.price = credits::from_micro(60'000'000);
  audio.start.price_at.per = quota::unit::minute;
  audio.start.price_at.meter = quota::meter_kind::response_audio;
  audio.used = 7'000'000;
  const auto seconds = [](std::int64_t n) { return credits::from_micro(n * 1'000'000); };
  hold(audio);
  hold(journal.charges[1]);
  quota::extend told{audio.start.id, seconds(8), 60'000ms, {}, {}, {}};
  told.answered = quota::use{seconds(4), 4'000'000, 4'000'000};
  apply(told);
  quota::extend begun{journal.charges[1].start.id, price, 60'000ms, {}, {}, {}};
  begun.answered = quota::use{price, 1, 0};
  apply(begun);
  for (int i = 0; i < 4; ++i) {
    store.time += 10h;
    run(journal);
    EXPECT_EQ(settled(), seconds(7) + price);
  }
}

TEST_F(journal_replay, what_a_killed_sidecar_had_settled_is_left_alone) {
  contents journal{{charge(1)}, {}, {}, {}, {}};
  hold(journal.charges[0]);
  apply(quota::settle{journal.charges[0].start.id, price});
  EXPECT_EQ(run(journal).known, 1u);
  EXPECT_EQ(settled(), price);
}

TEST_F(journal_replay, what_is_too_old_is_not_charged_twice) {
  contents journal{{charge(1)}, {}, {}, {}, {}};
  store.time += 72h;
  EXPECT_EQ(run(journal).forgotten, 1u);
  EXPECT_EQ(settled(), credits{});
}

}  // namespace
}  // namespace tollgate::proxy::journal
