#include <gtest/gtest.h>

#include "routes/meters/aac/raw_data_block.hpp"
#include "routes/meters/simple_packets.hpp"

namespace tollgate::routes::meters {
namespace {

using namespace std::literals;

// One channel without a band, and the end: 29 zeros, 111.
const std::string silent = "\0\0\0\x07"s;

aac::block_count count(const std::string& unit,
                       aac::profile profile = aac::profile::low_complexity) {
  const auto padded = unit + std::string(aac::padding, '\0');
  constexpr unsigned at_16000 = 8;
  return aac::count_blocks(std::string_view{padded}.substr(0, unit.size()),
                           {at_16000, false, profile});
}

TEST(AacBlocks, AreCountedWhateverAContainerSays) {
  EXPECT_EQ(count(silent).blocks, 1U);
  std::string eight;
  for (int i = 0; i < 8; ++i) eight += silent;
  EXPECT_EQ(count(eight).blocks, 8U);
  EXPECT_FALSE(count(eight).broken);
  EXPECT_EQ(count("").blocks, 0U);
}

TEST(AacBlocks, ZerosAtTheEndArePadding) {
  EXPECT_EQ(count(silent + std::string(100, '\0')).blocks, 1U);
  EXPECT_FALSE(count(silent + std::string(100, '\0')).broken);
}

TEST(AacBlocks, WhatBreaksOffIsNone) {
  EXPECT_EQ(count(silent + "\0\0\x01"s).blocks, 1U);
  EXPECT_TRUE(count(silent + "\0\0\x01"s).broken);
  EXPECT_TRUE(count("\xC0"s).broken);  // a fill element without an end
}

TEST(AacBlocks, AHeaderOfAdtsIsUnusual) {
  EXPECT_TRUE(count("\xFF\xF1\x60\x40"s).unusual);
  EXPECT_TRUE(count(silent + "\xFF\xF1\x60\x40"s).unusual);
}

// One channel with one empty band, which is predicted: by the main profile; by LTP, once without a
// lag and once with one.
TEST(AacBlocks, PredictInTheWayOfTheirProfile) {
  using aac::profile;
  const auto in_main = "\0\0\0\xC0\x08\xE0"s, in_name = "\0\0\0\xC0\x11\xC0"s,
             with_lag = "\0\0\0\xE0\0\0\x23\x80"s;
  for (const auto& [block, of] : {std::pair{in_main, profile::main},
                                  {in_name, profile::long_term_prediction},
                                  {with_lag, profile::long_term_prediction}}) {
    EXPECT_EQ(count(block + block + block, of).blocks, 3U);
    EXPECT_EQ(count(block).blocks, 0U) << "LC does not predict";
  }
}

TEST(AacPackets, CountEveryBlockInAPacket) {
  aac_packets packets{{48'000, 1024}};
  const auto unit = duration::of_samples(1024, 48'000);
  EXPECT_EQ(packets.begin({}, 12), unit);
  const std::string three = silent + silent + silent;
  EXPECT_EQ(packets.body(three.substr(0, 5)), duration{});
  EXPECT_EQ(packets.body(three.substr(5)), duration::times(unit, 2));
  EXPECT_EQ(packets.begin({}, 100'000), unit);
  EXPECT_TRUE(packets.is_unclear());  // no encoder writes such a large packet
}

TEST(AacPackets, FollowThreeObjectTypes) {
  using aac::profile;
  for (const auto each : {profile::main, profile::low_complexity, profile::long_term_prediction})
    EXPECT_TRUE(aac_packets::follows({48'000, 1024, each}));
  EXPECT_FALSE(aac_packets::follows({48'000, 1024, {}}));
  EXPECT_FALSE(aac_packets::follows({48'001, 1024, profile::main}));
}

}  // namespace
}  // namespace tollgate::routes::meters
