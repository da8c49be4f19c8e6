#include "proxy/archive/retention_job.hpp"

#include <gmock/gmock.h>

#include "tests/support/memory_thread_store.hpp"
#include "tests/support/moments.hpp"
#include "tests/support/run_task.hpp"

namespace tollgate::proxy::archive {
namespace {

using namespace std::chrono_literals;
using namespace quota::literals;
using tests::noon;

constexpr std::int64_t hours_per_day = 24;

// Without an archive, old data is dropped by time alone.
class retention_job_test : public testing::Test {
 protected:
  retention_job_test() {
    world_.accounts.time = noon;
    rules_.usage = 48h;
    accounts_["acme"].progress.created_at = noon - 10 * 24h;
  }

  quota::retained& kept() { return world_.retention.kept["acme"]; }
  void round() {
    accounts_["acme"].tidy_at = {};
    retention_job job{store_, archiver_, accounts_, rules_, stopping_};
    tests::run_task(job.run_once());
  }

  tests::memory_world world_;
  tests::memory_thread_store store_{world_};
  archived_accounts accounts_;
  metrics::archive_metrics counts_;
  std::atomic<bool> stopping_{false};
  archiver archiver_{store_, nullptr, accounts_, counts_, stopping_};
  config::retention_settings rules_;
};

TEST_F(retention_job_test, sums_up_the_days_that_are_over) {
  round();
  EXPECT_EQ(kept().next_day, quota::hour_of(noon) / hours_per_day) << "all but today";
}

TEST_F(retention_job_test, drops_callers_of_days_that_are_too_old) {
  round();
  round();  // the first round's merges are known now
  EXPECT_EQ(kept().first_hour, (quota::hour_of(noon) / hours_per_day - 2) * hours_per_day);
}

TEST_F(retention_job_test, keeps_hours_and_days_for_as_long_as_it_is_told) {
  rules_.usage_by_hour = 72h;
  for (int i = 0; i < 4; ++i) round();
  EXPECT_EQ(kept().hours_from, quota::hour_of(noon) / hours_per_day - 3);
  EXPECT_EQ(kept().days_from, 0);
}

TEST_F(retention_job_test, without_an_archive_no_entry_is_dropped) {
  rules_.ledger = 1h;
  round();
  EXPECT_TRUE(world_.retention.dropped.empty());
}

TEST_F(retention_job_test, does_nothing_while_the_store_is_away) {
  world_.accounts.reachable = false;
  round();
  EXPECT_EQ(kept().next_day, 0);
}

TEST_F(retention_job_test, ends_when_it_is_told_to) {
  stopping_ = true;
  round();
  EXPECT_EQ(kept().next_day, 0);
}

}  // namespace
}  // namespace tollgate::proxy::archive
