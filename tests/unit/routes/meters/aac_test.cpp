#include "routes/meters/aac/raw_data_block.hpp"

#include <gtest/gtest.h>

#include "routes/meters/simple_packets.hpp"

namespace tollgate::routes::meters {
namespace {

using namespace std::literals;

// One channel without a band, and the end: 29 zeros, 111.
const std::string silent = "\0\0\0\x07"s;

aac::block_count count(const std::string& unit, unsigned rate_index = 8) {
  const auto padded = unit + std::string(aac::padding, '\0');
  return aac::count_blocks(std::string_view{padded}.substr(0, unit.size()), {rate_index, false});
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
  EXPECT_TRUE(count("\xC0"s).broken);  // a fill element, and no end
}

TEST(AacBlocks, AHeaderOfAdtsIsUnusual) {
  EXPECT_TRUE(count("\xFF\xF1\x60\x40"s).unusual);
  EXPECT_TRUE(count(silent + "\xFF\xF1\x60\x40"s).unusual);
}

TEST(AacPackets, CountEveryBlockInAPacket) {
  aac_packets packets{{48'000, 1024, 2}};
  const auto unit = duration::of_samples(1024, 48'000);
  EXPECT_EQ(packets.begin({}, 12), unit);
  const std::string three = silent + silent + silent;
  EXPECT_EQ(packets.body(three.substr(0, 5)), duration{});
  EXPECT_EQ(packets.body(three.substr(5)), duration::times(unit, 2));
  EXPECT_EQ(packets.begin({}, 100'000), unit);
  EXPECT_TRUE(packets.is_unclear());  // no encoder writes so large a packet
}

TEST(AacPackets, OfOtherObjectTypesAreBoundedByTheirSize) {
  aac_packets packets{{48'000, 1024, 1, false}};
  const auto unit = duration::of_samples(1024, 48'000);
  EXPECT_EQ(packets.begin({}, 768), unit);
  EXPECT_EQ(packets.begin({}, 769), duration::times(unit, 2));
}

}  // namespace
}  // namespace tollgate::routes::meters
