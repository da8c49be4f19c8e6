#include "proxy/text/time_zone/time_zone.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "proxy/text/text.hpp"

namespace tollgate::proxy {
namespace {

namespace chrono = std::chrono;

chrono::sys_seconds at(std::string_view text) {
  return chrono::floor<chrono::seconds>(*admin::parse_time(text));
}
long minutes(chrono::seconds offset) {
  return static_cast<long>(offset / chrono::minutes{1});
}
long by_rule(std::string_view rule, std::string_view time) {
  return minutes(posix_rule::parse(rule).value().offset_at(at(time)));
}

TEST(posix_rule, changes_the_clocks_in_spring_and_autumn) {
  constexpr auto berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
  EXPECT_EQ(by_rule(berlin, "2050-03-27T00:59:59Z"), 60);
  EXPECT_EQ(by_rule(berlin, "2050-03-27T01:00:00Z"), 120);
  EXPECT_EQ(by_rule(berlin, "2050-10-30T00:59:59Z"), 120);
  EXPECT_EQ(by_rule(berlin, "2050-10-30T01:00:00Z"), 60);
}

TEST(posix_rule, knows_the_south_and_every_way_to_name_a_day) {
  constexpr auto sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
  EXPECT_EQ(by_rule(sydney, "2050-01-01"), 660);
  EXPECT_EQ(by_rule(sydney, "2050-07-01"), 600);
  EXPECT_EQ(by_rule(sydney, "2050-12-31T23:59:59Z"), 660);
  EXPECT_EQ(by_rule("<+0330>-3:30", "2050-07-01"), 210);
  EXPECT_EQ(by_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-07-01"), -60);
  EXPECT_EQ(by_rule("EST5EDT,J60/0,J300", "2048-03-01T05:00:00Z"), -240) << "no 29 February";
  EXPECT_EQ(by_rule("EST5EDT,59/0,300", "2048-02-29T05:00:00Z"), -240) << "59 is one";
  EXPECT_EQ(by_rule("IST-1GMT0,M10.5.0,M3.5.0/1", "2050-07-01"), 60) << "summer time behind";
}

TEST(posix_rule, refuses_what_is_none) {
  for (const auto* text :
       {"", "CE-1", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-168", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,J0,J1", "<CET-1", "CET-1:60"}) {
    EXPECT_FALSE(posix_rule::parse(text)) << text;
  }
}

TEST(time_zone, is_utc_unless_told_otherwise) {
  EXPECT_TRUE(time_zone{}.is_utc());
  EXPECT_TRUE(time_zone::find("UTC", "/nowhere").value().is_utc());
  EXPECT_EQ(time_zone{}.offset_at(at("2026-07-01")).count(), 0);
}

TEST(time_zone, never_leaves_its_directory) {
  for (const auto* name :
       {"", "/etc/passwd", "../passwd", "Europe/../../../etc/passwd", ".", "Europe", "Europe/",
        "Europe//Berlin", "zone.tab", "Europe/Berlin ", "Nowhere/Land"}) {
    EXPECT_FALSE(time_zone::find(name)) << name;
  }
}

TEST(time_zone, takes_no_zone_that_counts_leap_seconds) {
  EXPECT_FALSE(time_zone::find("right/Europe/Berlin"));
  EXPECT_TRUE(time_zone::find("posix/Europe/Berlin") ||
              !std::filesystem::exists("/usr/share/zoneinfo/posix"));
}

TEST(time_zone, reads_the_systems_files) {
  const auto berlin = time_zone::find("Europe/Berlin").value();
  EXPECT_EQ(minutes(berlin.offset_at(at("2026-03-29T00:59:59Z"))), 60);
  EXPECT_EQ(minutes(berlin.offset_at(at("2026-03-29T01:00:00Z"))), 120);
  EXPECT_EQ(minutes(berlin.offset_at(at("2090-07-01"))), 120) << "by its rule";
  EXPECT_EQ(minutes(time_zone::find("Asia/Kolkata").value().offset_at(at("2026-07-01"))), 330);
  EXPECT_EQ(minutes(time_zone::find("Pacific/Kiritimati").value().offset_at(at("2026-07-01"))),
            840);
}

// Two readers of the same files: the C library's, which supports one zone at a time per process,
// and Tollgate's.
TEST(time_zone, agrees_with_the_c_library_in_every_zone) {
  int zones = 0;
  for (const auto* name :
       {"America/New_York", "America/St_Johns", "America/Havana", "America/Asuncion",
        "Africa/Casablanca", "Africa/Cairo", "Asia/Gaza", "Asia/Kathmandu", "Asia/Tehran",
        "Australia/Lord_Howe", "Europe/Dublin", "Europe/London", "Pacific/Apia", "Pacific/Chatham",
        "America/Nuuk", "Etc/GMT+5"}) {
    const auto zone = time_zone::find(name);
    ASSERT_TRUE(zone) << name;
    ++zones;
    setenv("TZ", name, 1);
    tzset();
    for (std::int64_t time = 0; time < 2'500'000'000; time += 5 * 3600 + 1800) {
      const std::time_t moment = time;
      std::tm local{};
      localtime_r(&moment, &local);
      ASSERT_EQ(zone->offset_at(chrono::sys_seconds{chrono::seconds{time}}).count(),
                local.tm_gmtoff)
          << name << " at " << time;
    }
  }
  unsetenv("TZ");
  tzset();
  EXPECT_EQ(zones, 16);
}

TEST(time_zone, believes_nothing_it_reads) {
  std::ifstream file{"/usr/share/zoneinfo/Europe/Berlin", std::ios::binary};
  const std::string whole{std::istreambuf_iterator<char>{file}, {}};
  ASSERT_TRUE(time_zone::parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(time_zone::parse(std::string_view{whole}.substr(0, size))) << size;
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x80);
    if (const auto zone = time_zone::parse(damaged)) zone->offset_at(at("2026-07-01"));
  }
}

}  // namespace
}  // namespace tollgate::proxy
