// Usage is read in pieces of limited size: many counters, and hours far apart, still give the right
// sums.
#include <algorithm>
#include <utility>

#include <gmock/gmock.h>

#include "quota/redis/retention.hpp"
#include "quota/redis/store.hpp"
#include "tests/store/store_test.hpp"

namespace tollgate::quota::redis {
namespace {

using testing::IsEmpty;

constexpr std::int64_t first_hour = 20'000 * 24;  // a day of UTC that ended long ago

class usage_store_test : public store_test {
 protected:
  static std::string hour_key(std::int64_t hour) {
    return "tollgate:{acme}:usage:" + std::to_string(hour);
  }

  // Each of `count` conversations made one call for one credit in the hour.
  void write(std::int64_t hour, int count) {
    std::string commands;
    for (int i = 0; i < count; ++i) {
      append_command(commands,
                     {"HSET", hour_key(hour),
                      "chat\tllm\tgpt-4\tagent\tc" + std::to_string(i) + "\tkey_1", "1000000 1 1"});
    }
    raw.write(commands);
    for (int i = 0; i < count; ++i) raw.read();
  }

  static std::map<std::int64_t, std::int64_t> calls(const std::vector<usage_counter>& counters) {
    std::map<std::int64_t, std::int64_t> of_hour;
    for (const auto& counter : counters) {
      of_hour[counter.hour] += counter.calls;
      EXPECT_EQ(counter.charged, credits::from_micro(1'000'000 * counter.calls));
    }
    return of_hour;
  }

  redis_store store{*redis};
};

TEST_F(usage_store_test, hours_that_are_full_far_apart_and_empty) {
  const std::map<std::int64_t, std::int64_t> written{
      {first_hour, 3},           {first_hour + 1, 12'000},  // more than one call reads
      {first_hour + 2, 5},       {first_hour + 3, 9'999},      {first_hour + 4, 1},
      {first_hour + 5, 1},       {first_hour + 239, 2},        {first_hour + 240, 7},
      {first_hour + 24 * 90, 4}, {first_hour + 24 * 90 + 1, 1}};
  for (const auto& [hour, count] : written) write(hour, static_cast<int>(count));
  const auto last = first_hour + 24 * 90 + 1;
  EXPECT_EQ(calls(ask(store.usage("acme", first_hour, last))), written);
  EXPECT_EQ(calls(ask(store.usage_summary("acme", first_hour, last))), written);
  // The second time from the summaries that the first time has stored.
  raw.call({"DEL", hour_key(first_hour), hour_key(first_hour + 1)});
  EXPECT_EQ(calls(ask(store.usage_summary("acme", first_hour, last))), written);
  EXPECT_THAT(ask(store.usage("acme", first_hour, first_hour + 1)), IsEmpty());
}

// What there is for reports, and what is taken of it.
struct bounded_memory final : read_budget {
  bool take(const org_id&, std::size_t bytes) override {
    if (taken + bytes > most) return false;
    taken += bytes;
    peak = std::max(peak, taken);
    return true;
  }
  void give_back(const org_id&, std::size_t bytes) override { taken -= bytes; }
  std::size_t most = 0, taken = 0, peak = 0;
};

TEST_F(usage_store_test, a_large_read_needs_memory_or_says_that_there_is_none) {
  bounded_memory memory;
  store.use_memory(&memory);
  write(first_hour, 20'000);
  std::int64_t counted = 0;
  const auto count = [&](const usage_counter& counter) { counted += counter.calls; };
  const auto read = [&] {
    counted = 0;
    return outcome_of(store.each_usage("acme", first_hour, first_hour, count));
  };
  EXPECT_EQ(read().error(), store_errc::no_memory);
  EXPECT_EQ(memory.taken, 0u);
  memory.most = 2'000'000;
  EXPECT_TRUE(read());
  EXPECT_EQ(counted, 20'000);
  EXPECT_EQ(memory.taken, 0u);
  EXPECT_GT(memory.peak, 20'000 * 16u);
  // Counters that are kept take more; a summary has one for all of them.
  EXPECT_EQ(outcome_of(store.usage("acme", first_hour, first_hour)).error(), store_errc::no_memory);
  EXPECT_EQ(calls(ask(store.usage_summary("acme", first_hour, first_hour))).at(first_hour), 20'000);
  EXPECT_EQ(memory.taken, 0u);
}

// So many models that the day's summary is large, whether it is stored or not.
TEST_F(usage_store_test, a_large_summary_needs_memory) {
  bounded_memory memory;
  store.use_memory(&memory);
  std::string commands;
  constexpr int models = 2'000;
  for (int i = 0; i < models; ++i) {
    append_command(commands, {"HSET", hour_key(first_hour),
                              "chat\tllm\tm" + std::to_string(i) + "\t\t\tkey_1", "1000000 1 1"});
  }
  raw.write(commands);
  for (int i = 0; i < models; ++i) raw.read();
  const auto read = [&] { return outcome_of(store.usage_summary("acme", first_hour, first_hour)); };
  EXPECT_EQ(read().error(), store_errc::no_memory);
  memory.most = 10'000'000;
  EXPECT_EQ(read().value().size(), std::size_t{models});
  raw.call({"DEL", hour_key(first_hour)});
  memory.most = 0;
  EXPECT_EQ(read().error(), store_errc::no_memory) << "from the stored summary";
  memory.most = 10'000'000;
  EXPECT_EQ(read().value().size(), std::size_t{models});
  EXPECT_EQ(memory.taken, 0u);
}

TEST_F(usage_store_test, what_is_no_hour_of_usage_is_said) {
  write(first_hour, 1);
  raw.call({"HSET", hour_key(first_hour + 2), "chat\tllm\tgpt-4\t\t\tkey_1", "a lot"});
  raw.call({"SET", hour_key(first_hour + 4), "no hash"});
  for (const auto hour : {first_hour + 2, first_hour + 4}) {
    EXPECT_EQ(outcome_of(store.usage("acme", first_hour, hour)).error(), store_errc::protocol);
    EXPECT_EQ(outcome_of(store.usage_summary("acme", first_hour, hour)).error(),
              store_errc::protocol);
    raw.call({"DEL", hour_key(hour)});
  }
  EXPECT_EQ(calls(ask(store.usage("acme", first_hour, first_hour + 4))).at(first_hour), 1);
}

// From hours with agents to days, and then to a month: the sums stay the same.
TEST_F(usage_store_test, is_summed_up_further_without_losing_anything) {
  redis_retention retention{*redis};
  const auto first_day = first_hour / 24;
  const auto last = first_hour + 24 * 20 - 1;
  std::int64_t calls_in_all = 0;
  for (int day = 0; day < 20; ++day) {
    write(first_hour + day * 24 + day, day + 1);
    write(first_hour + day * 24 + 23, 1);
    calls_in_all += day + 2;
  }
  const auto total = [&] {
    std::int64_t sum = 0;
    for (const auto& [hour, count] : calls(ask(store.usage("acme", first_hour, last))))
      sum += count;
    return sum;
  };
  const auto rows = [&] { return ask(store.usage_summary("acme", first_hour, last)).size(); };
  EXPECT_EQ(total(), calls_in_all);
  EXPECT_EQ(rows(), 40U);

  auto generation = ask(store.usage_generation("acme", 0, 1'000'000));
  const auto is_new_edition = [&] {
    const auto before =
        std::exchange(generation, ask(store.usage_generation("acme", 0, 1'000'000)));
    return generation != before;
  };
  EXPECT_FALSE(is_new_edition());
  for (std::int64_t day = first_day; day < first_day + 20; ++day) {
    EXPECT_TRUE(ask(retention.drop_usage_detail("acme", day)));
    EXPECT_TRUE(is_new_edition());
  }
  auto kept = ask(retention.what_is_retained("acme"));
  const coarsening days{usage_grain::day, first_day, first_day + 10, {}};
  EXPECT_TRUE(ask(retention.coarsen_usage("acme", days, kept)));
  EXPECT_TRUE(is_new_edition());
  EXPECT_EQ(total(), calls_in_all);
  EXPECT_EQ(rows(), 30U);
  EXPECT_FALSE(ask(retention.coarsen_usage("acme", days, kept))) << "somebody has been at it";
  kept = ask(retention.what_is_retained("acme"));
  EXPECT_EQ(kept.hours_from, first_day + 10);

  const coarsening month{usage_grain::month, first_day, first_day + 5, {first_hour + 48}};
  EXPECT_TRUE(ask(retention.coarsen_usage("acme", month, kept)));
  EXPECT_TRUE(is_new_edition());
  EXPECT_EQ(total(), calls_in_all);
  EXPECT_EQ(calls(ask(store.usage_summary("acme", first_hour, first_hour + 24 * 5 - 1))),
            (std::map<std::int64_t, std::int64_t>{{first_hour, 5}, {first_hour + 48, 15}}));
  EXPECT_EQ(ask(retention.what_is_retained("acme")).days_from, first_day + 5);

  // A report that began before all of this tries to store its summaries.
  write(first_hour + 30, 1);
  EXPECT_EQ(ask(store.usage_summary("acme", first_hour + 24, first_hour + 47)).size(), 1U);
  raw.call({"DEL", hour_key(first_hour + 30)});
  EXPECT_THAT(ask(store.usage_summary("acme", first_hour + 24, first_hour + 47)), IsEmpty());
}

TEST_F(usage_store_test, a_store_that_is_gone_is_said) {
  redis->stop();
  EXPECT_EQ(outcome_of(store.usage("acme", first_hour, first_hour + 1)).error(),
            store_errc::unavailable);
  EXPECT_EQ(outcome_of(redis->call_all({{"PING"}, {"PING"}})).error(), store_errc::unavailable);
}

TEST_F(usage_store_test, many_commands_are_answered_in_their_order) {
  std::vector<std::vector<std::string>> commands;
  for (int i = 0; i < 1'000; ++i) commands.push_back({"ECHO", std::to_string(i)});
  const auto replies = ask(redis->call_all(std::move(commands)));
  ASSERT_EQ(replies.size(), 1'000U);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    EXPECT_EQ((std::string{replies[i]->str, replies[i]->len}), std::to_string(i));
  }
  EXPECT_THAT(ask(redis->call_all({})), IsEmpty());
}

// The caller gets one answer, even if the connection ends between two replies.
TEST_F(usage_store_test, replies_that_do_not_all_come_are_none) {
  const auto got = outcome_of(
      redis->call_all({{"ECHO", "1"}, {"CLIENT", "KILL", "SKIPME", "no"}, {"ECHO", "3"}}));
  EXPECT_EQ(got.error(), store_errc::unavailable);
}

}  // namespace
}  // namespace tollgate::quota::redis
