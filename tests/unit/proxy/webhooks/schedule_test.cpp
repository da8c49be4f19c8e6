#include "proxy/webhooks/schedule.hpp"

#include <gtest/gtest.h>

#include "config/settings.hpp"
#include "tests/support/moments.hpp"

namespace tollgate::proxy::webhooks {
namespace {

using namespace std::chrono_literals;

using tests::noon;

const schedule& usual() {
  static const schedule attempts{config::webhook_settings{}.retries};
  return attempts;
}

// The time of the next attempt for an event of noon, if the last attempt was that long after noon.
std::optional<quota::milliseconds> next(quota::milliseconds tried, bool was_the_first = false,
                                        std::uint64_t random = 0) {
  const auto at = usual().next_attempt(noon, noon + tried, was_the_first, random);
  return at ? std::optional{*at - noon} : std::nullopt;
}

TEST(schedule, stands_at_fixed_distances_from_the_event) {
  struct row {
    quota::milliseconds tried, next;
  };
  for (const auto& each : {
           row{0ms, 5s},
           row{20ms, 5s},
           row{4'999ms, 5s},
           row{5s, 5min + 5s},
           row{5min + 5s, 35min + 5s},
           row{35min + 6s, 2h + 35min + 5s},
           row{2h + 35min + 5s, 7h + 35min + 5s},
           row{7h + 35min + 5s, 17h + 35min + 5s},
           row{17h + 35min + 5s, 31h + 35min + 5s},
           row{31h + 35min + 5s, 51h + 35min + 5s},
           row{51h + 35min + 5s, 75h + 35min + 5s},
           row{75h + 35min + 4s, 75h + 35min + 5s},
       }) {
    EXPECT_EQ(next(each.tried), each.next) << each.tried.count() << " ms";
  }
}

TEST(schedule, ends) {
  EXPECT_EQ(next(75h + 35min + 5s), std::nullopt);
  EXPECT_EQ(next(1000h), std::nullopt);
}

// It waited behind another event: it is tried when its turn comes, and then at the remaining times
// of its own schedule.
TEST(schedule, of_an_event_that_waited_does_not_begin_again) {
  EXPECT_EQ(next(1h), 2h + 35min + 5s);
  EXPECT_EQ(next(70h), 75h + 35min + 5s);
  EXPECT_EQ(next(80h), std::nullopt);
}

TEST(schedule, gives_nothing_up_after_its_very_first_attempt) {
  EXPECT_EQ(next(1h, true), 2h + 35min + 5s);
  EXPECT_EQ(next(80h, true), 80h + 5s);
  EXPECT_EQ(next(80h + 5s), std::nullopt);
}

TEST(schedule, takes_a_clock_that_is_behind_the_event) {
  EXPECT_EQ(next(-1s), 0ms);
}

TEST(schedule, goes_through_every_attempt_once) {
  int attempts = 1;
  for (auto tried = std::optional{quota::milliseconds{1}}; (tried = next(*tried)); ++attempts) {
    ASSERT_LT(attempts, 20);
  }
  EXPECT_EQ(attempts, 10);
}

TEST(schedule, of_one_attempt_has_no_other) {
  const schedule once{{0ms}};
  EXPECT_EQ(once.next_attempt(noon, noon + 1ms, false, 7), std::nullopt);
  EXPECT_EQ(once.next_attempt(noon, noon + 1ms, true, 7), std::nullopt);
}

// The earliest and the latest time of an attempt over many random numbers.
std::pair<quota::milliseconds, quota::milliseconds> spread(const schedule& attempts,
                                                           quota::milliseconds tried,
                                                           bool was_the_first = false) {
  quota::milliseconds earliest = 10000h, latest{};
  for (std::uint64_t random = 0; random < 40'000; ++random) {
    const auto at = attempts.next_attempt(noon, noon + tried, was_the_first, random);
    if (!at) return {};
    earliest = std::min(earliest, *at - noon);
    latest = std::max(latest, *at - noon);
  }
  return {earliest, latest};
}

TEST(schedule, spreads_attempts_over_a_tenth_of_the_pause_before_them) {
  using range = std::pair<quota::milliseconds, quota::milliseconds>;
  EXPECT_EQ(spread(usual(), 0ms), range(5s, 5s + 500ms));
  EXPECT_EQ(spread(usual(), 5s), range(5min + 5s, 5min + 5s + 30s));
  EXPECT_EQ(spread(usual(), -1s), range(0ms, 0ms));
  EXPECT_EQ(spread(usual(), 80h, true), range(80h + 5s, 80h + 5s + 500ms));
  const auto tenth_of_a_day = quota::milliseconds{144min}.count();
  EXPECT_EQ(next(52h, false, tenth_of_a_day), 75h + 35min + 5s + 144min);
  EXPECT_EQ(next(52h, false, tenth_of_a_day + 1), 75h + 35min + 5s);
}

// However late an attempt is, the next one in the schedule follows.
TEST(schedule, never_spreads_an_attempt_over_the_time_of_another) {
  const schedule odd{{0ms, 1h, 1s, 10ms, 0ms, 5s}};
  using range = std::pair<quota::milliseconds, quota::milliseconds>;
  EXPECT_EQ(spread(odd, 0ms), range(1h, 1h + 100ms));
  EXPECT_EQ(spread(odd, 1h + 100ms), range(1h + 1s, 1h + 1s + 1ms));
  constexpr std::uint64_t latest = 100 * 101 * 2 * 501 - 1;  // the end of each attempt's interval
  int attempts = 1;
  auto tried = quota::milliseconds{0};
  for (; attempts < 20; ++attempts) {
    const auto next = odd.next_attempt(noon, noon + tried, attempts == 1, latest);
    if (!next) break;
    tried = *next - noon;
  }
  EXPECT_EQ(attempts, 5);  // the two at the same time count as one
}

}  // namespace
}  // namespace tollgate::proxy::webhooks
