// How descriptors are divided between clients and the process itself.
#include "proxy/app/descriptors.hpp"

#include <gmock/gmock.h>

namespace tollgate::proxy {
namespace {

using testing::HasSubstr;

config::settings with_upstreams(std::size_t count) {
  config::settings out;
  out.upstreams.resize(count);
  return out;
}

// All descriptors that can be open at once.
std::size_t most_open(const descriptor_shares& shares, int threads,
                      const config::settings& settings) {
  const auto leave_or_are_refused = 2 * (shares.clients / 8);  // and two per thread, in `process`
  return shares.process + 2 * shares.admin + shares.events + 2 * shares.clients +
         leave_or_are_refused +
         shares.idle * static_cast<std::size_t>(threads) * settings.upstreams.size();
}

TEST(descriptors, never_more_than_there_are) {
  for (const int threads : {1, 2, 8, 64}) {
    for (const std::size_t upstreams : {1, 3, 20}) {
      const auto settings = with_upstreams(upstreams);
      for (std::size_t limit = 1024; limit <= 1u << 20; limit *= 2) {
        const auto shares = share_descriptors(limit, threads, settings);
        EXPECT_LE(most_open(shares, threads, settings), limit) << threads << " " << limit;
        EXPECT_GE(shares.clients, 1u);
      }
    }
  }
}

TEST(descriptors, few_are_shared_with_the_administrator) {
  const auto settings = with_upstreams(1);
  const auto shares = share_descriptors(128, 1, settings);
  EXPECT_GE(shares.admin, 4u);
  EXPECT_GE(shares.clients, 10u);
  EXPECT_LE(most_open(shares, 1, settings), 128u);
}

TEST(descriptors, enough_of_them_change_nothing) {
  auto settings = with_upstreams(3);
  EXPECT_EQ(fit_to(65'536, 8, settings), "");
  EXPECT_EQ(settings.limits, config::limit_settings{});
}

TEST(descriptors, too_few_lower_the_limit_and_say_so) {
  auto settings = with_upstreams(3);
  const auto said = fit_to(1024, 2, settings);
  EXPECT_LT(settings.limits.connections, 512u);
  EXPECT_GT(settings.limits.connections, 200u);
  EXPECT_THAT(
      said, HasSubstr("1024 file descriptors allow " + std::to_string(settings.limits.connections) +
                      " connections from clients, not 16384 (limits.connections)"));
}

TEST(descriptors, that_suffice_for_most_lower_the_default_silently) {
  auto settings = with_upstreams(1);
  EXPECT_EQ(fit_to(20'000, 2, settings), "");
  EXPECT_LT(settings.limits.connections, 10'000u);
  settings.limits.connections = 15'000;
  EXPECT_THAT(fit_to(20'000, 2, settings), HasSubstr("not 15000 (limits.connections)"));
}

}  // namespace
}  // namespace tollgate::proxy
