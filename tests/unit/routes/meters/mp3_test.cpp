#include "routes/meters/mp3.hpp"

#include <gmock/gmock.h>

#include "tests/unit/routes/meters/feed.hpp"
#include "tests/unit/routes/meters/mpeg_frames.hpp"

namespace tollgate::routes::meters {
namespace {

answer mp3(std::string_view bytes) {
  return measure(make_mp3_meter, bytes);
}
duration frames(std::uint64_t n) {
  return duration::of_samples(1152 * n, 44100);
}

TEST(Mp3, CountsTheFramesOfEveryVersionAndLayer) {
  struct stream {
    std::uint32_t header;
    std::size_t bytes;
    std::uint32_t samples, rate;
    std::string_view codec;
  };
  // Version, layer, bit rate and sampling rate as ISO/IEC 11172-3 and 13818-3 number them.
  constexpr stream streams[]{
      {0xFFFB9000, 417, 1152, 44100, "mp3"},  // 1, III, 128 kbit/s
      {0xFFFB9200, 418, 1152, 44100, "mp3"},  // padded
      {0xFFFBE400, 960, 1152, 48000, "mp3"},  // 320 kbit/s
      {0xFFFB1800, 144, 1152, 32000, "mp3"},  // 32 kbit/s
      {0xFFFA9000, 417, 1152, 44100, "mp3"},  // with CRC
      {0xFFF38000, 208, 576, 22050, "mp3"},   // 2, III, 64 kbit/s
      {0xFFF38400, 192, 576, 24000, "mp3"},   //
      {0xFFE38800, 576, 576, 8000, "mp3"},    // 2.5, III, 64 kbit/s
      {0xFFFDB000, 731, 1152, 44100, "mp2"},  // 1, II, 224 kbit/s
      {0xFFE5E800, 2880, 1152, 8000, "mp2"},  // 2.5, II, 160 kbit/s: the longest
      {0xFFFF9200, 316, 384, 44100, "mp1"},   // 1, I, 288 kbit/s, padded
      {0xFFF7E400, 512, 384, 24000, "mp1"}};  // 2, I, 256 kbit/s
  for (const auto& s : streams) {
    const auto got = mp3(repeat(mpeg_frame(s.header, s.bytes), 20));
    EXPECT_EQ(got, (answer{state::measuring, duration::of_samples(20 * s.samples, s.rate), "mp3",
                           std::string{s.codec}}))
        << std::hex << s.header;
  }
}

TEST(Mp3, AddsUpBitRatesThatVary) {
  const auto one = layer3(1) + mpeg_frame(0xFFFB4000, 182) + mpeg_frame(0xFFFBE200, 1045);
  EXPECT_EQ(mp3(repeat(one, 10)).length, frames(30));
}

// The meter checks the frames of a run in more than one way.
TEST(Mp3, CountsRunsOfFramesWhoseLengthsDifferByTheirPadding) {
  const auto padded = mpeg_frame(0xFFFB9200, 418), with_crc = mpeg_frame(0xFFFA9040, 417),
             short_one = mpeg_frame(0xFFFB4000, 182);
  std::string bytes = layer3(10);
  for (std::size_t i = 0; i < 20; ++i)
    bytes += repeat(padded, i) + layer3(i % 3) + with_crc + short_one + repeat(padded, 2);
  const std::size_t expected = 10 + 190 + 19 + 20 + 20 + 40;
  EXPECT_EQ(mp3(bytes).length, frames(expected));
  EXPECT_EQ(mp3(bytes + padded.substr(0, 5) + "x").length, frames(expected + 1));
  EXPECT_EQ(mp3(bytes + padded + "junk" + padded).length, frames(expected + 2));

  // A slot of layer I is four bytes.
  const auto slots = repeat(mpeg_frame(0xFFFF9200, 316), 30) + mpeg_frame(0xFFFF9000, 312);
  EXPECT_EQ(mp3(repeat(slots, 3)).length, duration::of_samples(93 * 384, 44100));
}

TEST(Mp3, KnowsTagsInFrontAndBehind) {
  EXPECT_EQ(mp3(id3v2(5000) + layer3(10)).length, frames(10));
  EXPECT_EQ(mp3(id3v2(300, true) + id3v2(0) + layer3(10)).length, frames(10));
  const auto id3v1 = "TAG" + noise(125), ape = "APETAGEX" + noise(200),
             lyrics = "LYRICSBEGIN" + noise(70) + "LYRICS200";
  EXPECT_EQ(mp3(layer3(10) + ape + lyrics + id3v1).length, frames(10));
  EXPECT_EQ(mp3(layer3(2) + id3v1).length, frames(2)) << "two frames are a file";
}

TEST(Mp3, ATagThatIsLongerThanTheInputHidesAllAsForPlayers) {
  auto tag = id3v2(100'000);
  tag.resize(10);
  EXPECT_EQ(mp3(tag + layer3(50)).status, state::unmeasurable);
}

TEST(Mp3, TheTableInTheFirstFrameIsNotAudio) {
  EXPECT_EQ(mp3(xing_frame("Xing", std::nullopt) + layer3(10)).length, frames(10));
  EXPECT_EQ(mp3(xing_frame("Info", std::nullopt) + layer3(10)).length, frames(10));
  EXPECT_EQ(mp3(vbri_frame() + layer3(10)).length, frames(10));
  EXPECT_EQ(mp3(xing_frame("Info", std::nullopt)).length, duration{});
}

TEST(Mp3, ATableFurtherOnIsPlayedAsSilence) {
  const auto file = xing_frame("Info", std::nullopt) + layer3(10);
  EXPECT_EQ(mp3(file + file).length, frames(21));
  EXPECT_EQ(mp3(repeat(xing_frame("Xing", std::nullopt), 10)).length, frames(9));
}

TEST(Mp3, TakesOffTheDelayAndPaddingThatTheEncoderStates) {
  const auto trimmed = [](std::uint64_t samples) {
    return duration::of_samples(1152 * 10, 44100) - duration::of_samples(samples, 44100);
  };
  const auto table = [](std::uint32_t frames, std::uint32_t delay, std::uint32_t padding,
                        std::string_view encoder = "LAME3.100") {
    return xing_frame("Info", xing_table{frames, delay, padding, encoder}) + layer3(10);
  };
  const auto near = [](duration a, duration b) {
    return std::abs(a.flicks() - b.flicks()) <= 2;  // each part is rounded
  };
  EXPECT_TRUE(near(mp3(table(10, 576, 1000)).length, trimmed(576 + 529 + 1000 - 529)));
  EXPECT_TRUE(near(mp3(table(10, 576, 100)).length, trimmed(576 + 529))) << "the decoder's own";
  EXPECT_TRUE(near(mp3(table(10, 576, 1000, "Lavc59.37")).length, trimmed(576 + 1000)));
  EXPECT_TRUE(near(mp3(table(11, 576, 1000)).length, trimmed(576 + 529))) << "cut off";
  EXPECT_TRUE(near(mp3(table(9, 576, 1000)).length, trimmed(576 + 529)))
      << "something is joined on";
  EXPECT_EQ(mp3(table(10, 576, 1000, "Unknown!!")).length, trimmed(0));
}

TEST(Mp3, NoTableMakesAStreamMuchCheaper) {
  const auto liar = mp3(xing_frame("Xing", xing_table{1, 4095, 4095}) + layer3(1000));
  EXPECT_GT(liar.length, frames(995));
}

TEST(Mp3, ALastFrameThatIsCutOffCountsWhole) {
  const auto all = layer3(10);
  EXPECT_EQ(mp3(all.substr(0, all.size() - 413)).length, frames(10)) << "its header is there";
  EXPECT_EQ(mp3(all.substr(0, all.size() - 414)).length, frames(9));
}

TEST(Mp3, PlaysShortFiles) {
  EXPECT_EQ(mp3(layer3(1)).length, frames(1));
  EXPECT_EQ(mp3(layer3(2)).length, frames(2));
  EXPECT_EQ(mp3(layer3(3)).length, frames(3));
  EXPECT_EQ(mp3(layer3(1) + "x").status, state::unmeasurable);
  EXPECT_EQ(mp3("").status, state::unmeasurable);
}

TEST(Mp3, FindsFramesBehindJunk) {
  EXPECT_EQ(mp3(noise(60'000) + layer3(10)).length, frames(10));
  EXPECT_EQ(mp3(std::string(1000, '\0') + layer3(10)).length, frames(10));
  EXPECT_EQ(mp3(noise(70'000) + layer3(10)).status, state::unmeasurable);
}

TEST(Mp3, JunkBetweenFramesHidesNone) {
  const auto start = layer3(7), one = layer3(1);
  EXPECT_EQ(mp3(start + noise(300'000) + layer3(5)).length, frames(12));
  EXPECT_EQ(mp3(start + repeat(one + std::string(100, '\0'), 20)).length, frames(27));
  EXPECT_EQ(mp3(start + repeat(one + "ab", 20)).length, frames(27));
  EXPECT_EQ(mp3(start + repeat(noise(4000) + one, 20)).length, frames(27));
  EXPECT_EQ(mp3(start + repeat(id3v2(50) + one, 20)).length, frames(27));
}

// For example after a tag that no player knows, such as an APE tag.
TEST(Mp3, RunsOfFramesBehindJunkAllCount) {
  const auto junk = "APETAGEX" + noise(24);
  EXPECT_EQ(mp3(junk + layer3(50) + junk + layer3(60)).length, frames(110));
  EXPECT_EQ(mp3(layer3(2) + junk + layer3(30) + junk + layer3(60)).length, frames(92));
}

TEST(Mp3, ZerosBetweenFramesHideNone) {
  EXPECT_EQ(mp3(repeat(layer3(1) + std::string(3, '\0'), 20)).length, frames(20));
  EXPECT_EQ(mp3(repeat(layer3(1) + std::string(60, '\0'), 20)).length, frames(20));
}

TEST(Mp3, SingleHeadersInLongJunkAreNotFrames) {
  const auto start = layer3(7), lonely = noise(5000) + std::string{"\xFF\xFB\x90\x00", 4};
  EXPECT_EQ(mp3(start + repeat(lonely, 20) + noise(1000)).length, frames(7));
}

TEST(Mp3, FollowsAStreamThatChanges) {
  const auto other = repeat(mpeg_frame(0xFFF38400, 192), 10);
  EXPECT_EQ(mp3(layer3(10) + other + layer3(10)).length,
            frames(20) + duration::of_samples(10 * 576, 24000));
}

TEST(Mp3, IsSureAfterAFewFrames) {
  const auto m = make_mp3_meter();
  m->write(layer3(6));
  EXPECT_EQ(m->status(), state::undecided);
  m->write(layer3(1));
  EXPECT_EQ(m->status(), state::measuring);
  EXPECT_EQ(m->measured(), frames(7));
}

TEST(Mp3, TakesNoSilenceAndNoNoiseForFrames) {
  std::mt19937 random{7};
  for (const int amplitude : {1, 2, 16, 300, 32767}) {
    std::string pcm;
    while (pcm.size() < 200'000)
      pcm += little(
          static_cast<std::uint64_t>(static_cast<int>(random() % (2 * amplitude + 1)) - amplitude),
          2);
    EXPECT_EQ(measure_split(make_mp3_meter, pcm, [] { return 4096; }).status, state::unmeasurable)
        << amplitude;
  }
}

}  // namespace
}  // namespace tollgate::routes::meters
