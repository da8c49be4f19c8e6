#include "quota/credits.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace tollgate::quota {
namespace {

using namespace literals;

TEST(credits, prints_decimals_without_exponent_or_padding) {
  EXPECT_EQ(to_string(0_credits), "0");
  EXPECT_EQ(to_string(10_credits), "10");
  EXPECT_EQ(to_string(100'000_micro), "0.1");
  EXPECT_EQ(to_string(7'500'000_micro), "7.5");
  EXPECT_EQ(to_string(166'667_micro), "0.166667");
  EXPECT_EQ(to_string(1_micro), "0.000001");
  EXPECT_EQ(to_string(-3_credits), "-3");
  EXPECT_EQ(to_string(-1_micro), "-0.000001");
  EXPECT_EQ(to_string(credits::from_micro(credits::max_micro)), "4000000000");
  EXPECT_EQ(to_string(credits::from_micro(std::numeric_limits<std::int64_t>::min())),
            "-9223372036854.775808");
}

TEST(credits, reads_what_it_prints) {
  for (const std::int64_t micro : {0L, 1L, -1L, 10L, 999'999L, 1'000'000L, -1'500'000L,
                                   123'456'789'012L, credits::max_micro, -credits::max_micro}) {
    const auto amount = credits::from_micro(micro);
    ASSERT_TRUE(parse_credits(to_string(amount))) << micro;
    EXPECT_EQ(*parse_credits(to_string(amount)), amount);
  }
}

TEST(credits, reads_padding) {
  EXPECT_EQ(parse_credits("1.500000000").value(), 1'500'000_micro);
  EXPECT_EQ(parse_credits("0010").value(), 10_credits);
  EXPECT_EQ(parse_credits("-0").value(), 0_credits);
}

TEST(credits, refuses_everything_else) {
  for (const auto* text : {"", "-", ".", "1.", ".5", "1e3", "1E3", "0x10", "+1", " 1", "1 ", "1,5",
                           "--1", "1.2.3", "nan", "inf", "1.0000001", "0.1234567", "1-"}) {
    EXPECT_FALSE(parse_credits(text)) << text;
  }
  EXPECT_FALSE(parse_credits(std::string_view{"1\0", 2}));
}

TEST(credits, refuses_amounts_beyond_the_range) {
  EXPECT_TRUE(parse_credits("4000000000"));
  EXPECT_FALSE(parse_credits("4000000000.000001"));
  EXPECT_FALSE(parse_credits("-4000000000.000001"));
  EXPECT_FALSE(parse_credits("4000000001"));
  EXPECT_FALSE(parse_credits("99999999999999999999999999"));
}

}  // namespace
}  // namespace tollgate::quota
