#include "quota/read_budget.hpp"

#include <gtest/gtest.h>

namespace tollgate::quota {
namespace {

struct played_memory final : read_budget {
  explicit played_memory(std::size_t bytes) : most{bytes} {}
  bool take(const org_id&, std::size_t bytes) override {
    if (taken + bytes > most) return false;
    taken += bytes;
    return true;
  }
  void give_back(const org_id&, std::size_t bytes) override { taken -= bytes; }
  std::size_t most, taken = 0;
};

const org_id acme = "acme";

TEST(read_loan, a_small_read_takes_nothing) {
  played_memory memory{0};
  read_loan loan{&memory, acme};
  EXPECT_TRUE(loan.grow(read_loan::uncounted));
  EXPECT_FALSE(loan.refused());
  EXPECT_FALSE(loan.grow(1));
  EXPECT_TRUE(loan.refused());
}

TEST(read_loan, takes_at_least_what_is_in_use_and_gives_all_of_it_back) {
  played_memory memory{1 << 20};
  {
    read_loan loan{&memory, acme};
    std::size_t used = 0;
    while (loan.grow(777)) {
      used += 777;
      ASSERT_GE(memory.taken + read_loan::uncounted, used);
      ASSERT_LE(memory.taken, used + 64 * 1024);
    }
    EXPECT_GE(used, (1 << 20) - 777u);
    EXPECT_FALSE(loan.grow(0)) << "after the first refusal the read ends";
  }
  EXPECT_EQ(memory.taken, 0u);
}

TEST(read_loan, what_is_refused_is_not_given_back) {
  played_memory memory{100'000};
  {
    read_loan loan{&memory, acme};
    EXPECT_FALSE(loan.grow(1'000'000));
    EXPECT_EQ(memory.taken, 0u);
  }
  EXPECT_EQ(memory.taken, 0u);
}

TEST(read_loan, nothing_may_bound_it) {
  read_loan loan{nullptr, acme};
  EXPECT_TRUE(loan.grow(std::size_t{1} << 40));
}

}  // namespace
}  // namespace tollgate::quota
