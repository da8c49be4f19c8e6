// How long an unused connection can be used again.
#include "proxy/gateway/idle_limit.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

using namespace std::chrono_literals;

const steady_time start{std::chrono::hours{1}};

TEST(idle_limit, is_what_was_configured) {
  const idle_limit limit{75s};
  EXPECT_EQ(limit.at(start), 75s);
  EXPECT_TRUE(limit.allows(74s, start));
  EXPECT_FALSE(limit.allows(75s, start));
  EXPECT_FALSE(idle_limit{0s}.allows(0s, start));
}

TEST(idle_limit, is_a_second_less_than_was_announced) {
  const auto after = [](std::string_view field) {
    idle_limit limit{75s};
    limit.announced(field);
    return std::chrono::duration_cast<std::chrono::milliseconds>(limit.at(start)).count();
  };
  EXPECT_EQ(after("timeout=5"), 4'000);
  EXPECT_EQ(after("max=100, Timeout=5"), 4'000);
  EXPECT_EQ(after("timeout=5, max=1000"), 4'000);
  EXPECT_EQ(after("timeout=2"), 1'000);
  EXPECT_EQ(after("timeout=1"), 500);
  EXPECT_EQ(after("timeout=0"), 0);
  EXPECT_EQ(after("timeout=600"), 75'000);
  for (const char* nonsense : {"", ",", ",,,", "timeout", "timeout=", "timeout=x", "timeout=-1",
                               "timeout=99999999999999999999", "max=5", "xtimeout=5"}) {
    EXPECT_EQ(after(nonsense), 75'000) << nonsense;
  }
}

TEST(idle_limit, learns_from_connections_that_were_closed) {
  idle_limit limit{75s};
  limit.found_closed(200ms, start);  // an upstream that ends does that, too
  EXPECT_EQ(limit.at(start), 75s);
  limit.found_closed(61s, start);
  EXPECT_EQ(limit.at(start), 53'800ms);
  limit.found_closed(70s, start);
  EXPECT_EQ(limit.at(start), 53'800ms);
  limit.lost_request(1ms, start);
  EXPECT_EQ(limit.at(start), 500us);
}

TEST(idle_limit, forgets_what_it_learned) {
  idle_limit limit{75s};
  limit.lost_request(4ms, start);
  EXPECT_EQ(limit.at(start + 9s), 2ms);
  EXPECT_EQ(limit.at(start + 10s), 4ms);
  EXPECT_EQ(limit.at(start + 30s), 16ms);
  EXPECT_EQ(limit.at(start + 1h), 75s);
  limit.announced("timeout=11");
  EXPECT_EQ(limit.at(start + 1h), 10s);
  limit.lost_request(0s, start + 1h);
  EXPECT_FALSE(limit.allows(0s, start + 1h));
  EXPECT_EQ(limit.at(start + 1h + 10s), 1ms);
}

}  // namespace
}  // namespace tollgate::proxy
