#include "proxy/webhooks/schedule.hpp"

#include <gtest/gtest.h>

#include "config/settings.hpp"

namespace tollgate::proxy::webhooks {
namespace {

using namespace std::chrono_literals;

constexpr quota::time_point noon{quota::milliseconds{1'767'268'800'000}};

const schedule& usual() {
  static const schedule attempts{config::webhook_settings{}.retries};
  return attempts;
}

// When an event of noon is tried again, if it was tried so long after noon.
std::optional<quota::milliseconds> next(quota::milliseconds tried, bool was_the_first = false) {
  const auto at = usual().next_attempt(noon, noon + tried, was_the_first);
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

// It waited behind another: tried when its turn came, and then at what is left of its own times.
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
  EXPECT_EQ(once.next_attempt(noon, noon + 1ms, false), std::nullopt);
  EXPECT_EQ(once.next_attempt(noon, noon + 1ms, true), std::nullopt);
}

}  // namespace
}  // namespace tollgate::proxy::webhooks
