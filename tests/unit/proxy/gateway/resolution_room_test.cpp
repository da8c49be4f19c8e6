#include "proxy/gateway/resolution_room.hpp"

#include <gtest/gtest.h>

namespace tollgate::proxy {
namespace {

constexpr std::size_t block_bytes = resolution_room::a_block * resolution_room::bytes_of_one;

// As many as the store leaves unconfirmed, one after the other.
std::size_t fill(resolution_room& room) {
  std::size_t resolving = 0;
  while (resolving < 1'000'000 && room.admits(resolving)) ++resolving;
  return resolving;
}

TEST(resolution_room, the_quarter_is_that_of_all_threads) {
  memory_budget budget{4 * 10 * block_bytes};
  resolution_room one{budget}, two{budget}, three{budget};
  const auto first = fill(one), second = fill(two), third = fill(three);
  EXPECT_EQ(first + second + third, 3 * resolution_room::uncounted + 10 * resolution_room::a_block);
  EXPECT_EQ(budget.bodies(), 10 * block_bytes);
  one.fit(0);
  EXPECT_EQ(fill(two), first);
}

TEST(resolution_room, a_usual_number_takes_nothing) {
  memory_budget budget{4 * 10 * block_bytes};
  resolution_room room{budget};
  for (std::size_t i = 0; i < resolution_room::uncounted; ++i) EXPECT_TRUE(room.admits(i));
  EXPECT_EQ(budget.bodies(), 0u);
}

TEST(resolution_room, takes_from_what_bodies_leave) {
  memory_budget budget{4 * 10 * block_bytes};
  ASSERT_TRUE(budget.take_body(39 * block_bytes));
  resolution_room room{budget};
  EXPECT_EQ(fill(room), resolution_room::uncounted + resolution_room::a_block);
  EXPECT_FALSE(budget.take_body(1));
}

TEST(resolution_room, gives_back_what_is_not_needed_any_more) {
  memory_budget budget{4 * 10 * block_bytes};
  {
    resolution_room room{budget};
    const auto most = fill(room);
    room.fit(most);
    EXPECT_EQ(budget.bodies(), 10 * block_bytes);
    room.fit(most / 2);
    EXPECT_EQ(budget.bodies(), 5 * block_bytes);
    EXPECT_TRUE(room.admits(most / 2));
    room.fit(0);
    EXPECT_EQ(budget.bodies(), 0u);
    fill(room);
  }
  EXPECT_EQ(budget.bodies(), 0u);
}

}  // namespace
}  // namespace tollgate::proxy
