#include "proxy/archive/archiver.hpp"

#include <gmock/gmock.h>

#include "tests/support/memory_thread_store.hpp"
#include "tests/support/moments.hpp"
#include "tests/support/run_task.hpp"

namespace tollgate::proxy::archive {
namespace {

using namespace std::chrono_literals;
using namespace quota::literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::noon;

// The part of an archive that a test sees and controls; the archiver owns the archive.
struct shelf {
  std::string store;  // the store of the archive
  bool leads = true, readable = true;
  std::string fails;      // the next calls throw this
  std::string refuses;    // batches of this organization are refused
  bool moved_on = false;  // another process has added: an add adds nothing
  std::map<quota::org_id, position> at;
  std::vector<std::string> added;  // "acme 2": entries of each batch
  int interrupted = 0;
};

class fake_archive final : public archive {
 public:
  explicit fake_archive(shelf& to) : to_{to} {}

  bool lead() override {
    fail();
    return to_.leads;
  }
  void leave() override { to_.leads = false; }
  std::string store() override { return to_.store; }
  void belong_to(const std::string& store) override { to_.store = store; }
  position position_of(const quota::org_id& org) override {
    fail();
    return to_.at[org];
  }
  bool add(const std::vector<batch>& batches) override {
    fail();
    for (const auto& each : batches) {
      if (each.org == to_.refuses) throw refused{"it is not for us"};
    }
    if (to_.moved_on) return false;
    for (const auto& each : batches) {
      to_.added.push_back(each.org + ' ' + std::to_string(each.entries.size()));
      to_.at[each.org] = each.to;
    }
    return true;
  }
  bool can_be_read() const override { return to_.readable; }
  void interrupt() override { ++to_.interrupted; }

 private:
  void fail() const {
    if (!to_.fails.empty()) throw std::runtime_error{to_.fails};
  }
  shelf& to_;
};

class archiver_test : public testing::Test {
 protected:
  archiver_test() {
    world_.accounts.time = noon;
    world_.retention.id = shelf_.store = "s1";
  }

  // An organization with one grant; the entry is old enough to be archived.
  void create(const quota::org_id& org) {
    const quota::operation given{quota::grant{"g-" + org, 10_credits, "purchase", ""}};
    tests::run_task(world_.accounts.apply(org, given));
    accounts_[org].progress.created_at = noon;
    world_.accounts.time += 1h;
  }
  void round() { tests::run_task(archiver_.run_once()); }
  // A skipped account, and an archive that failed, are not tried again for a while.
  bool may_drop(const quota::org_id& org) {
    return tests::run_task(archiver_.may_drop(org, accounts_[org]));
  }

  tests::memory_world world_;
  tests::memory_thread_store store_{world_};
  shelf shelf_;
  archived_accounts accounts_;
  metrics::archive_metrics counts_;
  std::atomic<bool> stopping_{false};
  archiver archiver_{store_, std::make_unique<fake_archive>(shelf_), accounts_, counts_, stopping_};
};

TEST_F(archiver_test, adds_what_is_new_once) {
  create("acme");
  create("beta");
  round();
  EXPECT_THAT(shelf_.added, ElementsAre("acme 1", "beta 1"));
  EXPECT_EQ(counts_.entries.read(), 2);
  EXPECT_EQ(counts_.leads.read(), 1);
  for (auto& [org, account] : accounts_) account.look_at = {};
  round();
  EXPECT_THAT(shelf_.added, testing::SizeIs(2)) << "nothing has happened since";
}

TEST_F(archiver_test, waits_until_an_entry_cannot_be_lost_by_the_store) {
  const quota::operation given{quota::grant{"g", 10_credits, "purchase", ""}};
  tests::run_task(world_.accounts.apply("acme", given));
  accounts_["acme"].progress.created_at = noon;
  round();
  EXPECT_THAT(shelf_.added, IsEmpty());
  world_.accounts.time += 3s;
  accounts_["acme"].look_at = {};
  round();
  EXPECT_THAT(shelf_.added, ElementsAre("acme 1"));
}

// Whoever asks, and when: the archive may block the archiver's thread meanwhile.
TEST_F(archiver_test, the_lag_counts_without_the_archiver) {
  using clock = metrics::archive_lag::clock;
  EXPECT_EQ(metrics::archive_lag{}.at(clock::now()), 0s) << "there is no archive";
  round();
  const auto now = clock::now();
  EXPECT_LT(counts_.lag.at(now), 1s);
  EXPECT_GE(counts_.lag.at(now + 20s), 20s);
  shelf_.fails = "gone";
  round();
  EXPECT_GE(counts_.lag.at(now + 20s), 20s) << "nothing was archived since";
}

TEST_F(archiver_test, who_follows_has_no_lag_until_the_leader_may_have_ended) {
  using clock = metrics::archive_lag::clock;
  shelf_.leads = false;
  round();
  const auto now = clock::now();
  EXPECT_EQ(counts_.lag.at(now), 0s);
  EXPECT_GE(counts_.lag.at(now + 1min), 1min);
}

TEST_F(archiver_test, who_does_not_lead_adds_nothing) {
  shelf_.leads = false;
  create("acme");
  round();
  EXPECT_THAT(shelf_.added, IsEmpty());
  EXPECT_EQ(counts_.leads.read(), 0);
  EXPECT_FALSE(may_drop("acme"));
}

TEST_F(archiver_test, the_archive_of_another_store_gets_nothing) {
  shelf_.store = "s2";
  create("acme");
  round();
  EXPECT_THAT(shelf_.added, IsEmpty());
  EXPECT_EQ(shelf_.store, "s2");
  EXPECT_FALSE(shelf_.leads) << "somebody else may have it";
  EXPECT_EQ(counts_.failures.read(), 1);
}

TEST_F(archiver_test, a_store_without_an_id_is_given_one) {
  world_.retention.id.clear();
  create("acme");
  round();
  EXPECT_EQ(world_.retention.id.size(), 32u);
}

TEST_F(archiver_test, a_store_that_is_away_is_waited_for) {
  create("acme");
  world_.accounts.reachable = false;
  round();
  EXPECT_THAT(shelf_.added, IsEmpty());
  EXPECT_EQ(counts_.failures.read(), 0) << "the archive has done nothing wrong";
  world_.accounts.reachable = true;
  round();
  EXPECT_THAT(shelf_.added, ElementsAre("acme 1"));
}

TEST_F(archiver_test, an_archive_that_is_away_is_counted_and_left_alone) {
  create("acme");
  shelf_.fails = "no route to host";
  round();
  EXPECT_EQ(counts_.failures.read(), 1);
  shelf_.fails.clear();
  round();
  EXPECT_THAT(shelf_.added, IsEmpty()) << "it is asked again only after a pause";
}

TEST_F(archiver_test, an_organization_that_is_refused_keeps_no_other_from_it) {
  create("acme");
  create("beta");
  shelf_.refuses = "acme";
  round();  // both in one step: the archive cannot know which of them is refused
  EXPECT_THAT(shelf_.added, IsEmpty());
  EXPECT_EQ(counts_.failures.read(), 1);
}

TEST_F(archiver_test, where_another_has_added_positions_are_asked_for_again) {
  create("acme");
  shelf_.moved_on = true;
  round();
  EXPECT_THAT(shelf_.added, IsEmpty());
  EXPECT_FALSE(accounts_["acme"].position_known);
}

TEST_F(archiver_test, a_store_that_is_behind_its_archive_is_not_archived) {
  create("acme");
  shelf_.at["acme"].entry = "999999-0";
  round();
  EXPECT_THAT(shelf_.added, IsEmpty());
  EXPECT_EQ(counts_.failures.read(), 1);
  EXPECT_FALSE(may_drop("acme"));
}

TEST_F(archiver_test, entries_that_the_store_dropped_unseen_are_named) {
  create("acme");
  world_.retention.kept["acme"].dropped_through = "5-0";
  round();
  EXPECT_THAT(shelf_.added, IsEmpty());
  EXPECT_EQ(counts_.failures.read(), 1);
}

TEST_F(archiver_test, only_what_is_in_the_archive_may_be_dropped) {
  create("acme");
  EXPECT_FALSE(may_drop("acme")) << "nothing is archived yet";
  round();
  EXPECT_TRUE(may_drop("acme"));
  world_.retention.id = "s2";
  EXPECT_FALSE(may_drop("acme")) << "another store";
  world_.retention.id = "s1";
  ++world_.connects;
  EXPECT_FALSE(may_drop("acme")) << "another connection: perhaps an older copy";
}

TEST_F(archiver_test, with_a_new_connection_everything_is_looked_at_anew) {
  create("acme");
  round();
  EXPECT_TRUE(accounts_["acme"].position_known);
  ++world_.connects;
  shelf_.leads = false;
  round();
  EXPECT_FALSE(accounts_["acme"].position_known);
  EXPECT_FALSE(accounts_["acme"].kept_known);
}

TEST_F(archiver_test, an_interrupt_reaches_the_archive) {
  archiver_.interrupt();
  EXPECT_EQ(shelf_.interrupted, 1);
}

TEST_F(archiver_test, without_an_archive_there_is_nothing_to_do) {
  archiver none{store_, nullptr, accounts_, counts_, stopping_};
  create("acme");
  tests::run_task(none.run_once());
  none.interrupt();
  EXPECT_FALSE(none.can_be_read());
  EXPECT_FALSE(accounts_["acme"].position_known);
}

}  // namespace
}  // namespace tollgate::proxy::archive
