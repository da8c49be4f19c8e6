#include "routes/meters/adts.hpp"

#include "tests/unit/routes/meters/feed.hpp"
#include "tests/unit/routes/meters/mpeg_frames.hpp"

namespace tollgate::routes::meters {
namespace {

constexpr unsigned at_44100 = 4, at_24000 = 6;

answer adts(std::string_view bytes) {
  return measure(make_adts_meter, bytes);
}
duration blocks(std::uint64_t n) {
  return duration::of_samples(1024 * n, 44100);
}
std::string aac(std::size_t frames) {
  return repeat(adts_frame(at_44100, 200), frames);
}

TEST(Adts, CountsRawDataBlocks) {
  EXPECT_EQ(adts(aac(20)), (answer{state::measuring, blocks(20), "adts", "aac"}));
  EXPECT_EQ(adts(repeat(adts_frame(at_44100, 300, 4), 10)).length, blocks(40));
  EXPECT_EQ(adts(repeat(adts_frame(at_24000, 8191), 10)).length,
            duration::of_samples(10240, 24000));
  EXPECT_EQ(adts(repeat(adts_frame(12, 7), 100)).length, duration::of_samples(102400, 7350));
}

// One channel without a band, and the end.
const std::string silent{"\0\0\0\x07", 4};

std::string frame_of(const std::string& content, unsigned said = 1) {
  return adts_frame(at_44100, 7 + content.size(), said).substr(0, 7) + content;
}

TEST(Adts, CountsTheBlocksThatAreThere) {
  EXPECT_EQ(adts(repeat(frame_of(repeat(silent, 8)), 10)).length, blocks(80));
  EXPECT_EQ(adts(repeat(frame_of(repeat(silent, 8), 2), 10)).length, blocks(80));
  EXPECT_EQ(adts(repeat(frame_of(silent, 4), 10)).length, blocks(40));
  // For a frame that is cut off, the blocks that have arrived.
  EXPECT_EQ(
      adts(repeat(frame_of(silent), 5) + frame_of(repeat(silent, 8)).substr(0, 7 + 12)).length,
      blocks(8));
}

TEST(Adts, AHeaderWithinAFrameCannotBeMeasured) {
  EXPECT_EQ(adts(repeat(frame_of(silent + frame_of(silent)), 10)).status, state::unmeasurable);
}

TEST(Adts, TakesNoRateThatDoesNotExist) {
  for (const unsigned index : {13u, 14u, 15u})
    EXPECT_EQ(adts(repeat(adts_frame(index, 200), 20)).status, state::unmeasurable);
}

TEST(Adts, PassesOverTags) {
  EXPECT_EQ(adts(id3v2(3000) + aac(10)).length, blocks(10));
  EXPECT_EQ(adts(repeat(id3v2(63) + aac(10), 5)).length, blocks(50)) << "as in HTTP live streaming";
}

TEST(Adts, FindsFramesBehindJunk) {
  EXPECT_EQ(adts(noise(50'000) + aac(10)).length, blocks(10));
  EXPECT_EQ(adts(aac(5) + noise(50'000) + aac(5)).length, blocks(10));
  EXPECT_EQ(adts(aac(4) + repeat(noise(100) + aac(1), 9)).length, blocks(13));
  EXPECT_EQ(adts(noise(70'000) + aac(10)).status, state::unmeasurable);
}

TEST(Adts, ALastFrameThatIsCutOffCountsWhole) {
  const auto all = aac(10);
  EXPECT_EQ(adts(all.substr(0, all.size() - 193)).length, blocks(10));
  EXPECT_EQ(adts(all.substr(0, all.size() - 194)).length, blocks(9));
}

TEST(Adts, PlaysShortFiles) {
  EXPECT_EQ(adts(aac(1)).length, blocks(1));
  EXPECT_EQ(adts(aac(2)).length, blocks(2));
  EXPECT_EQ(adts("").status, state::unmeasurable);
}

}  // namespace
}  // namespace tollgate::routes::meters
