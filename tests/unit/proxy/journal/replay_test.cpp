#include "proxy/journal/replay.hpp"

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

class journal_replay : public testing::Test {
 protected:
  journal_replay() {
    store.time = start_of_time;
    apply(quota::grant{"g", credits::from_micro(10'000'000), "purchase", ""});
  }

  quota::answer apply(const quota::operation& what) { return store.account("acme").apply(what, store.time); }

  unconfirmed_charge charge(std::uint64_t number, bool settles = true) {
    unconfirmed_charge what;
    what.start.id = quota::hold_id::make(start_of_time, 0, number);
    what.start.org = "acme";
    what.start.price_at.price = price;
    what.start.hold_timeout_ms = 60'000;
    what.used = 1;
    what.settles = settles;
    return what;
  }
  void hold(const unconfirmed_charge& what) { apply(quota::reserve{what.start.id, price, 60'000ms, {}, {}, {}}); }

  replay_report run(const contents& journal) {
    asio::io_context context;
    replay again{context.get_executor(), store};
    replay_report report;
    asio::co_spawn(context, again.run(journal),
                   [&](std::exception_ptr, replay_report done) { report = done; });
    context.run();
    return report;
  }
  credits settled() { return store.account("acme").row().settled; }

  tests::memory_store store;
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
  EXPECT_EQ(store.account("acme").row().held, credits{});
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
