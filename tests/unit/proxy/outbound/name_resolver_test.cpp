#include "proxy/outbound/name_resolver.hpp"

#include <gtest/gtest.h>

#include "tests/support/run_task.hpp"

namespace tollgate::proxy::outbound {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST(name_resolver, finds_this_machine) {
  name_resolver names{2};
  const auto found = tests::run_task(names.resolve("localhost", 8080, steady_clock::now() + 1min));
  ASSERT_TRUE(found);
  ASSERT_FALSE(found->empty());
  for (const auto& each : *found) {
    EXPECT_TRUE(each.address().is_loopback());
    EXPECT_EQ(each.port(), 8080);
  }
}

TEST(name_resolver, says_when_there_is_no_such_name) {
  name_resolver names{1};
  const auto found = tests::run_task(names.resolve("no..name", 80, steady_clock::now() + 1min));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().category().name(), asio::error::get_netdb_category().name());
}

TEST(name_resolver, does_not_wait_longer_than_it_may) {
  name_resolver names{1};
  const auto found = tests::run_task(names.resolve("localhost", 80, steady_clock::now() - 1s));
  EXPECT_FALSE(found);
}

}  // namespace
}  // namespace tollgate::proxy::outbound
