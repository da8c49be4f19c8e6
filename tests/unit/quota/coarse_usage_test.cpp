#include "quota/redis/coarse_usage.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace tollgate::quota::redis {
namespace {

using namespace std::chrono_literals;

std::int64_t day(std::chrono::year_month_day date) {
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

const auto february_29 = day(2028y / 2 / 29), march_1 = february_29 + 1;

TEST(coarse_usage, stands_at_the_first_hour_of_its_day_or_month) {
  const coarsening by_day{usage_grain::day, 0, 30'000, {}},
      by_month{usage_grain::month, 0, 30'000, {}};
  EXPECT_EQ(coarse_hour(february_29 * 24 + 23, by_day), february_29 * 24);
  EXPECT_EQ(coarse_hour(february_29 * 24, by_day), february_29 * 24);
  EXPECT_EQ(coarse_hour(february_29 * 24 + 23, by_month), day(2028y / 2 / 1) * 24);
  EXPECT_EQ(coarse_hour(march_1 * 24, by_month), march_1 * 24);
}

TEST(coarse_usage, stays_in_its_cycle) {
  const auto tenth = day(2028y / 2 / 10) * 24;
  const coarsening by_day{usage_grain::day, 0, 30'000, {5, tenth + 7, march_1 * 24}};
  EXPECT_EQ(coarse_hour(tenth + 6, by_day), tenth);
  EXPECT_EQ(coarse_hour(tenth + 7, by_day), tenth + 7);
  EXPECT_EQ(coarse_hour(tenth + 23, by_day), tenth + 7);
  EXPECT_EQ(coarse_hour(tenth + 24, by_day), tenth + 24);
  const coarsening by_month{usage_grain::month, 0, 30'000, {5, tenth + 7, march_1 * 24}};
  EXPECT_EQ(coarse_hour(tenth + 6, by_month), day(2028y / 2 / 1) * 24);
  EXPECT_EQ(coarse_hour(february_29 * 24 + 23, by_month), tenth + 7);
}

day_summary of(std::int64_t day,
               std::initializer_list<std::pair<std::int64_t, std::int64_t>> calls) {
  day_summary summary{day};
  for (const auto& [hour, count] : calls) {
    summary.count("r\ta\tm\t\t\tk", day * 24 + hour, {count * 10, count, count});
  }
  return summary;
}

TEST(coarse_usage, sums_a_month_up) {
  const auto first = day(2028y / 2 / 1);
  const coarsening how{usage_grain::month, first, march_1, {(first + 9) * 24}};
  const auto sums = coarsened({of(first + 3, {{0, 1}, {23, 2}}), of(first + 8, {{5, 4}}),
                               of(first + 9, {{0, 8}}), of(february_29, {{23, 16}})},
                              how);
  ASSERT_EQ(sums.size(), 2U);
  EXPECT_EQ(sums.at(first).pack(), "1\n=r\ta\tm\t\t\tk\n0 70 7 7\n");
  EXPECT_EQ(sums.at(first + 9).pack(), "1\n=r\ta\tm\t\t\tk\n0 240 24 24\n");
  EXPECT_EQ(coarsened({sums.at(first), sums.at(first + 9)}, how).at(first).pack(),
            sums.at(first).pack())
      << "to do it again changes nothing";
}

TEST(coarse_usage, what_is_older_than_the_range_is_left_alone) {
  const auto first = day(2028y / 2 / 20);  // the account is not older
  const coarsening how{usage_grain::month, first, march_1, {}};
  const auto sums = coarsened({of(first + 1, {{7, 3}})}, how);
  ASSERT_EQ(sums.size(), 1U);
  EXPECT_EQ(sums.begin()->first, first);
}

}  // namespace
}  // namespace tollgate::quota::redis
