#include "quota/redis/day_summary.hpp"

#include <gtest/gtest.h>

namespace tollgate::quota::redis {
namespace {

constexpr std::int64_t day = 20'000, hour = day * 24;

day_summary example() {
  day_summary summary{day};
  EXPECT_TRUE(summary.add(hour, "r\ta\tm\tagent-1\tc1\tk", "100 1 1"));
  EXPECT_TRUE(summary.add(hour, "r\ta\tm\tagent-2\tc2\tk", "250 2 60"));
  EXPECT_TRUE(summary.add(hour + 23, "r\ta\tm\t\t\tk", "1 1 0"));
  EXPECT_TRUE(summary.add(hour + 3, "r2\ta\t\tagent-1\t\tk", "-5 1 1"));
  return summary;
}

account_history::counter_taker into(std::vector<usage_counter>& all) {
  return [&all](const usage_counter& counter) { all.push_back(counter); };
}

TEST(day_summary, sums_up_whoever_called) {
  EXPECT_EQ(example().pack(),
            "1\n=r\ta\tm\t\t\tk\n0 350 3 61\n23 1 1 0\n=r2\ta\t\t\t\tk\n3 -5 1 1\n");
}

TEST(day_summary, gives_back_the_hours_that_are_wanted) {
  const auto summary = day_summary::parse(day, example().pack());
  ASSERT_TRUE(summary);
  std::vector<usage_counter> all, some;
  summary->each_counter(0, hour + 1000, into(all));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].hour, hour);
  EXPECT_EQ(all[0].charged, credits::from_micro(350));
  EXPECT_EQ(all[0].calls, 3);
  EXPECT_EQ(all[0].used, 61);
  EXPECT_EQ(all[0].who.route, "r");
  EXPECT_EQ(all[0].who.model, "m");
  EXPECT_EQ(all[0].who.agent, "");
  EXPECT_EQ(all[0].who.key_id, "k");
  summary->each_counter(hour + 1, hour + 22, into(some));
  ASSERT_EQ(some.size(), 1u);
  EXPECT_EQ(some[0].hour, hour + 3);
  summary->each_counter(hour + 24, hour + 48, into(some));
  EXPECT_EQ(some.size(), 1u) << "another day";
}

TEST(day_summary, seconds_of_audio_are_billed_beside) {
  day_summary summary{day};
  EXPECT_TRUE(summary.add(hour, "r\ta\tm\tx\t\tk", "5 1 4800000 5000000"));
  EXPECT_TRUE(summary.add(hour, "r\ta\tm\ty\t\tk", "5 1 100 1000000"));
  EXPECT_TRUE(summary.add(hour, "r\ta\tm\tz\t\tk", "5 1 7")) << "from before they were";
  EXPECT_EQ(summary.pack(), "1\n=r\ta\tm\t\t\tk\n0 15 3 4800107 6000000\n");
  std::vector<usage_counter> all;
  day_summary::parse(day, summary.pack())->each_counter(hour, hour, into(all));
  EXPECT_EQ(all.at(0).used, 4'800'107);
  EXPECT_EQ(all.at(0).billed_us, 6'000'000);
}

TEST(day_summary, takes_no_counter_that_is_none) {
  day_summary summary{day};
  for (const auto* packed : {"", "1 1", "1 1 1 1 1", "1 1 1 x", "x 1 1"})
    EXPECT_FALSE(summary.add(hour, "r", packed));
  EXPECT_FALSE(summary.add(hour - 1, "r", "1 1 1"));
  EXPECT_FALSE(summary.add(hour + 24, "r", "1 1 1"));
  EXPECT_TRUE(summary.empty());
}

TEST(day_summary, is_made_again_when_it_cannot_be_read) {
  for (const auto* text : {"", "2\n", "1", "1\n0 1 1 1\n", "1\n=r\n24 1 1 1\n", "1\n=r\n-1 1 1 1\n",
                           "1\n=r\n0 1 1\n", "1\n=r\n0 1 1 x\n"}) {
    EXPECT_FALSE(day_summary::parse(day, text)) << text;
  }
}

TEST(day_summary, days_follow_each_other) {
  EXPECT_EQ(day_of(0), 0);
  EXPECT_EQ(day_of(23), 0);
  EXPECT_EQ(day_of(24), 1);
  EXPECT_EQ(day_of(-1), -1);
  EXPECT_EQ(day_of(-24), -1);
  EXPECT_EQ(day_of(-25), -2);
}

}  // namespace
}  // namespace tollgate::quota::redis
