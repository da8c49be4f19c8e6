#include "quota/cycle.hpp"

#include <gtest/gtest.h>

namespace tollgate::quota {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

time_point on(int year, unsigned month, unsigned day, milliseconds later = 0ms) {
  return time_point{sys_days{std::chrono::year{year} / month / day}} + later;
}

TEST(cycle, begins_at_midnight_of_the_anchor_day) {
  EXPECT_EQ(cycle_start(15, on(2026, 11, 25, 13h)), on(2026, 11, 15));
  EXPECT_EQ(cycle_end(15, on(2026, 11, 25, 13h)), on(2026, 12, 15));
  EXPECT_EQ(cycle_start(15, on(2026, 11, 14, 24h - 1ms)), on(2026, 10, 15));
}

TEST(cycle, a_boundary_belongs_to_the_cycle_it_begins) {
  EXPECT_EQ(cycle_start(15, on(2026, 11, 15)), on(2026, 11, 15));
  EXPECT_EQ(cycle_end(15, on(2026, 11, 15)), on(2026, 12, 15));
  EXPECT_EQ(cycle_end(15, on(2026, 11, 15) - 1ms), on(2026, 11, 15));
}

// Each boundary computed from the one before: an anchor of 31 is the last day of shorter months,
// and the 31st again afterwards.
TEST(cycle, the_31st_comes_back_to_the_31st) {
  auto at = on(2027, 1, 31);
  for (const auto& [month, day] : {std::pair{2u, 28u},
                                   {3u, 31u},
                                   {4u, 30u},
                                   {5u, 31u},
                                   {6u, 30u},
                                   {7u, 31u},
                                   {8u, 31u},
                                   {9u, 30u},
                                   {10u, 31u},
                                   {11u, 30u},
                                   {12u, 31u}}) {
    at = cycle_end(31, at);
    EXPECT_EQ(at, on(2027, month, day));
  }
  EXPECT_EQ(cycle_end(31, at), on(2028, 1, 31));
}

TEST(cycle, knows_leap_years) {
  EXPECT_EQ(cycle_end(29, on(2028, 1, 29)), on(2028, 2, 29));
  EXPECT_EQ(cycle_end(30, on(2028, 1, 30)), on(2028, 2, 29));
  EXPECT_EQ(cycle_end(29, on(2027, 1, 29)), on(2027, 2, 28));
  EXPECT_EQ(cycle_end(29, on(2100, 1, 29)), on(2100, 2, 28));
  EXPECT_EQ(cycle_end(29, on(2000, 1, 29)), on(2000, 2, 29));
}

TEST(cycle, goes_on_over_the_year) {
  EXPECT_EQ(cycle_end(5, on(2026, 12, 5)), on(2027, 1, 5));
  EXPECT_EQ(cycle_start(5, on(2027, 1, 4)), on(2026, 12, 5));
  EXPECT_EQ(cycle_end(1, on(2026, 12, 31, 24h - 1ms)), on(2027, 1, 1));
}

// For every day of twelve years and every anchor: cycles follow one another without gap or overlap,
// and last 28 to 31 days.
TEST(cycle, cycles_join) {
  for (int anchor = 1; anchor <= 31; ++anchor) {
    for (auto at = on(2026, 1, 1, 12h); at < on(2038, 1, 1); at += 24h) {
      const auto start = cycle_start(anchor, at), end = cycle_end(anchor, at);
      ASSERT_LE(start, at);
      ASSERT_GT(end, at);
      ASSERT_EQ(cycle_end(anchor, start), end);
      ASSERT_EQ(cycle_start(anchor, end), end);
      ASSERT_GE(end - start, 28 * 24h);
      ASSERT_LE(end - start, 31 * 24h);
    }
  }
}

}  // namespace
}  // namespace tollgate::quota
