#include "config/units.hpp"

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

using namespace std::chrono_literals;

TEST(units, durations) {
  EXPECT_EQ(parse_duration("250us"), 250us);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("60s"), 60s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("1d"), 24h);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_duration("0s"), 0s);
  for (const char* wrong : {"", "60", "s", "1.5s", "-1s", "+1s", "1 s", " 1s", "1s ", "1S", "1min",
                            "1sec", "0x1s", "1s1s", "1e3s", "99999999999999999999s",
                            "9223372036854775807s", "106751992d", "\xD9\xA1s"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(units, durations_are_shown_in_the_largest_exact_unit) {
  EXPECT_EQ(to_string(std::chrono::microseconds{0}), "0s");
  EXPECT_EQ(to_string(1us), "1us");
  EXPECT_EQ(to_string(1500us), "1500us");
  EXPECT_EQ(to_string(std::chrono::microseconds{1500ms}), "1500ms");
  EXPECT_EQ(to_string(std::chrono::microseconds{90s}), "90s");
  EXPECT_EQ(to_string(std::chrono::microseconds{2min}), "2m");
  EXPECT_EQ(to_string(std::chrono::microseconds{3h}), "3h");
  EXPECT_EQ(to_string(std::chrono::microseconds{48h}), "2d");
}

TEST(units, sizes) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("64KiB"), 65'536u);
  EXPECT_EQ(parse_size("8MiB"), 8u << 20);
  EXPECT_EQ(parse_size("1GiB"), 1u << 30);
  for (const char* wrong : {"", "KiB", "64KB", "64K", "64kib", "1.5MiB", "-1", "1 MiB", "64B",
                            "9223372036854775808", "9223372036854775807KiB"}) {
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  }
  EXPECT_EQ(size_to_string(0), "0");
  EXPECT_EQ(size_to_string(1000), "1000");
  EXPECT_EQ(size_to_string(65'536), "64KiB");
  EXPECT_EQ(size_to_string(std::uint64_t{3} << 30), "3GiB");
}

TEST(units, decimals_are_scaled_and_never_rounded) {
  EXPECT_EQ(parse_decimal("0.02", 6), 20'000);
  EXPECT_EQ(parse_decimal("0.000001", 6), 1);
  EXPECT_EQ(parse_decimal("10", 2), 1000);
  EXPECT_EQ(parse_decimal("10.5", 2), 1050);
  EXPECT_EQ(parse_decimal("007", 0), 7);
  for (const char* wrong : {"", ".5", "5.", "1.234", "-1", "+1", "1e2", "1,5", "0x1", "1.2.3", " 1",
                            "92233720368547758.08"}) {
    EXPECT_FALSE(parse_decimal(wrong, 2)) << wrong;
  }
}

TEST(units, percentages) {
  EXPECT_EQ(parse_percentage("100%"), 100);
  EXPECT_EQ(parse_percentage("0%"), 0);
  for (const char* wrong : {"", "%", "100", "12.5%", "-1%", "100 %", "100%%", "9999999999%"}) {
    EXPECT_FALSE(parse_percentage(wrong)) << wrong;
  }
}

TEST(units, whole_numbers) {
  EXPECT_EQ(parse_whole("0"), 0u);
  EXPECT_EQ(parse_whole("18446744073709551615"), 18446744073709551615u);
  for (const char* wrong : {"", "-1", "+1", "1.0", "1e3", "0x10", "18446744073709551616", "1 "}) {
    EXPECT_FALSE(parse_whole(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace tollgate::config
