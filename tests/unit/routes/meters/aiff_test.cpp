#include "routes/meters/aiff.hpp"

#include "tests/unit/routes/meters/feed.hpp"

namespace tollgate::routes::meters {
namespace {

answer aiff(std::string_view bytes) {
  return measure(make_aiff_meter, bytes);
}

// 80 bits: the exponent of the highest bit, biased, and the number shifted up to 64 bits.
std::string extended(std::uint64_t rate) {
  unsigned exponent = 63;
  for (; rate != 0 && rate >> 63 == 0; rate <<= 1) --exponent;
  return big(16383 + exponent, 2) + big(rate, 8);
}

std::string chunk(std::string_view id, std::string_view content) {
  return std::string{id} + big(content.size(), 4) + std::string{content} +
         std::string(content.size() % 2, '\0');
}

struct sound {
  unsigned channels = 1, bits = 16;
  std::string rate = extended(44100);
  std::string_view compression = "";
};

std::string common(const sound& s) {
  return chunk("COMM", big(s.channels, 2) + big(77, 4) + big(s.bits, 2) + s.rate +
                           std::string{s.compression} +
                           (s.compression.empty() ? "" : std::string(2, '\0')));
}

std::string sound_chunk(std::size_t bytes, std::uint32_t offset = 0) {
  return chunk("SSND", big(offset, 4) + big(0, 4) + noise(bytes));
}

std::string file(const sound& s, std::string_view chunks) {
  const auto content = (s.compression.empty() ? "AIFF" : "AIFC") + common(s) + std::string{chunks};
  return "FORM" + big(content.size(), 4) + content;
}

duration at_44100(std::uint64_t samples) {
  return duration::of_samples(samples, 44100);
}

TEST(Aiff, CountsEveryKindOfSample) {
  const sound kinds[]{{1, 8}, {2, 16}, {1, 12}, {6, 24}, {2, 20}, {1, 32}};
  constexpr std::uint64_t frame_bytes[]{1, 4, 2, 18, 6, 4};
  for (std::size_t i = 0; i < std::size(kinds); ++i)
    EXPECT_EQ(aiff(file(kinds[i], sound_chunk(36'000))).length, at_44100(36'000 / frame_bytes[i]));
}

TEST(Aiff, KnowsCompressions) {
  struct known {
    std::string_view name, codec;
    std::uint64_t samples;
  };
  constexpr known all[]{
      {"NONE", "pcm_s16be", 3400}, {"twos", "pcm_s16be", 3400}, {"sowt", "pcm_s16le", 3400},
      {"fl32", "pcm_f32be", 1700}, {"FL64", "pcm_f64be", 850},  {"ulaw", "pcm_mulaw", 6800},
      {"alaw", "pcm_alaw", 6800},  {"in24", "pcm_s24be", 2266}, {"ima4", "adpcm_ima_qt", 12800}};
  for (const auto& each : all)
    EXPECT_EQ(aiff(file({1, 16, extended(44100), each.name}, sound_chunk(6800))),
              (answer{state::measuring, at_44100(each.samples), "aiff", std::string{each.codec}}));
  EXPECT_EQ(aiff(file({1, 16, extended(44100), "Qclp"}, sound_chunk(6800))).status,
            state::unmeasurable);
}

TEST(Aiff, ReadsRatesOf80Bits) {
  for (const std::uint64_t rate : {1u, 8000u, 11025u, 48000u, 192000u, 0x7FFFFFFFu})
    EXPECT_EQ(aiff(file({1, 8, extended(rate)}, sound_chunk(5000))).length,
              duration::of_samples(5000, rate));
  const auto half_up = big(16383 + 1, 2) + big(std::uint64_t{0b101} << 61, 8);  // 2.5
  EXPECT_EQ(aiff(file({1, 8, half_up}, sound_chunk(5000))).length, duration::of_samples(5000, 3));
}

TEST(Aiff, RatesThatAreNoneAreUnmeasurable) {
  const std::string rates[]{std::string(10, '\0'), std::string(10, '\xFF'),
                            extended(std::uint64_t{1} << 31),
                            big(16383 - 2, 2) + big(~std::uint64_t{0}, 8),
                            big(0x8000 + 16383 + 15, 2) + big(~std::uint64_t{0}, 8)};
  for (const auto& rate : rates)
    EXPECT_EQ(aiff(file({1, 8, rate}, sound_chunk(5000))).status, state::unmeasurable);
}

TEST(Aiff, TakesChunksInAnyOrder) {
  const auto inner =
      "AIFF" + chunk("NAME", "odd") + sound_chunk(4000) + chunk("ANNO", "x") + common({});
  EXPECT_EQ(aiff("FORM" + big(inner.size(), 4) + inner).length, at_44100(2000));
}

TEST(Aiff, PadsOddChunks) {
  EXPECT_EQ(aiff(file({1, 8}, sound_chunk(4001) + sound_chunk(4001))).length, at_44100(8002));
}

TEST(Aiff, LeavesOutWhatStandsBeforeTheFirstSample) {
  EXPECT_EQ(aiff(file({}, sound_chunk(4000, 1000))).length, at_44100(1500));
  EXPECT_EQ(aiff(file({}, sound_chunk(4000, 0xFFFFFFFF))).length, duration{});
}

TEST(Aiff, ASizeThatIsNotKnownMeansTheRest) {
  for (const std::uint32_t size : {0u, 7u, 0x80000000u, 0xFFFFFFFFu})
    EXPECT_EQ(aiff(file({}, "SSND" + big(size, 4) + std::string(8, '\0') + noise(100'000))).length,
              at_44100(50'000));
}

TEST(Aiff, ACutFileIsWorthWhatIsInIt) {
  EXPECT_EQ(aiff(file({}, sound_chunk(4000).substr(0, 16 + 999))).length, at_44100(499));
}

TEST(Aiff, ReadsNoCompressionWhereFfmpegDoesNot) {
  const auto inner = "AIFC" + chunk("FVER", big(1, 4)) + common({1, 8, extended(44100), "fl64"}) +
                     sound_chunk(8000);
  EXPECT_EQ(aiff("FORM" + big(inner.size(), 4) + inner).length, at_44100(8000));
}

TEST(Aiff, NothingElseIsAiff) {
  for (const std::string_view not_aiff : {"", "FORM", "FORM    8SVX        "})
    EXPECT_EQ(aiff(not_aiff).status, state::unmeasurable);
  EXPECT_EQ(aiff(file({1, 40}, sound_chunk(10))).status, state::unmeasurable);
  EXPECT_EQ(aiff(file({0, 16}, sound_chunk(10))).status, state::unmeasurable);
}

}  // namespace
}  // namespace tollgate::routes::meters
