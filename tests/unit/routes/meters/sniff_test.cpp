#include "routes/meters/sniff.hpp"

#include <tuple>

#include "tests/unit/routes/meters/feed.hpp"
#include "tests/unit/routes/meters/mpeg_frames.hpp"

namespace tollgate::routes::meters {
namespace {

constexpr pcm_format speech{16000, 1, 2};

answer sniff(std::string_view bytes, std::optional<pcm_format> raw = std::nullopt) {
  return measure([&] { return make_audio_meter({raw}); }, bytes);
}

std::string wav(std::string_view data) {
  return "RIFF" + little(data.size() + 36, 4) + "WAVEfmt " + little(16, 4) + little(1, 2) +
         little(1, 2) + little(8000, 4) + little(16000, 4) + little(2, 2) + little(16, 2) + "data" +
         little(data.size(), 4) + std::string{data};
}

TEST(Sniff, KnowsContainersByTheirFirstBytes) {
  EXPECT_EQ(sniff(wav(noise(4000))),
            (answer{state::measuring, duration::of_samples(2000, 8000), "wav", "pcm_s16le"}));
  EXPECT_EQ(sniff("FORM" + big(99, 4) + "AIFF").container, "aiff");
  EXPECT_EQ(sniff("#!AMR\n" + std::string(10, '\x7C')).length, duration::of_samples(10, 50));
  EXPECT_EQ(sniff(layer3(10)).container, "mp3");
  EXPECT_EQ(sniff(repeat(adts_frame(4, 300), 10)).container, "adts");
}

// ffmpeg reads them as any of its formats that recognizes the first bytes.
TEST(Sniff, FramesThatDoNotStandFirstAreAmbiguous) {
  EXPECT_EQ(sniff(layer3(300)).status, state::measuring);
  EXPECT_EQ(sniff(std::string(1500, '\0') + layer3(300)).status, state::measuring);
  for (const auto& front :
       {noise(10), std::string{"RIFF\0\0\0\0AVI ", 12}, big(40, 4) + "pnot" + noise(32),
        big(0, 4) + big(40, 4) + "junk" + noise(32), std::string(5000, '\0'),
        std::string("\xC0\xDE\xC2\0\0\0\1\0", 8), layer3(1).substr(9)})
    EXPECT_EQ(sniff(front + layer3(300)).status, state::unmeasurable);
}

// Whether they arrive in one slice or in many: samples would be cheaper.
TEST(Sniff, FramesThatCannotBeCountedToTheEndAreNoSamples) {
  auto two_blocks_and_a_checksum = adts_frame(4, 300, 2);
  two_blocks_and_a_checksum[1] = '\xF0';
  EXPECT_EQ(sniff(repeat(adts_frame(4, 300), 3) + two_blocks_and_a_checksum, speech).status,
            state::unmeasurable);
}

TEST(Sniff, SignsOfAnotherFormatAreAmbiguous) {
  const auto put = [](std::string bytes, std::size_t at, const std::string& sign) {
    return bytes.replace(at, sign.size(), sign);
  };
  const auto frames = layer3(300);
  const std::string mxf("\x06\x0E\x2B\x34\x02\x05\x01\x01", 8),
      nut("NM\x7A\x56\x1F\x5F\x04\xAD", 8);
  EXPECT_EQ(sniff(put(frames, 1080, "M.K.")).status, state::unmeasurable);
  EXPECT_EQ(sniff(put(frames, 1081, "M.K.")).status, state::measuring);
  for (const auto& sign : {mxf, nut}) {
    EXPECT_EQ(sniff(put(frames, 500, sign)).status, state::unmeasurable);
    EXPECT_EQ(sniff(wav(put(noise(4000), 500, sign))).status, state::unmeasurable);
  }
  EXPECT_EQ(sniff(put(frames, 500, repeat("\x44" + std::string(5, '\0'), 60))).status,
            state::unmeasurable)
      << "AMR";
  std::string stream = frames;
  for (std::size_t at = 0; at < 20'000; at += 188) stream.replace(at + 10, 4, "G\1\1\x10");
  EXPECT_EQ(sniff(stream).status, state::unmeasurable) << "a transport stream";
}

// ffmpeg distinguishes the packets of a program stream from similar bytes in this way.
TEST(Sniff, OnlyWholeHeadersOfPacketsMakeAProgramStream) {
  const auto with = [](const std::string& header) {
    auto frames = layer3(40);
    for (std::size_t at = 100; at < frames.size(); at += 417)
      frames.replace(at, header.size(), header);
    return sniff(frames).status;
  };
  const std::string start{"\0\0\1\xC0\1\0", 6}, time{"\x21\0\1\0\1", 5};
  for (const auto& packet :
       {start + time, start + "\x60\x20" + time, start + std::string{"\x80\x80\5", 3} + time,
        start + std::string{"\x80\0\0", 3}, start + "\x0F"})
    EXPECT_EQ(with(packet), state::unmeasurable);
  // Among others, the end of an AAC frame and the header of the next.
  for (const auto& other : {std::string{"\0\0\1\xC0\xFF\xF1\x20\x80\2\0", 10},
                            start + "\x60\x20" + "xxxxx", start + "\x80\x40xxx", start + "\x10"})
    EXPECT_EQ(with(other), state::measuring);
}

// With a picture in it.
std::string long_tag(std::size_t size) {
  return id3v2(size).replace(10, 4, "APIC");
}

TEST(Sniff, WhatStandsInALongTagAndTheNameOfTheFileDecide) {
  const auto fits = [](const std::string& bytes, std::string_view name) {
    const auto m = make_audio_meter({});
    m->write(bytes);
    m->finish();
    return m->status() == state::measuring && m->fits_name(name);
  };
  const auto picture = long_tag(1'200'000);
  EXPECT_TRUE(fits(picture + layer3(20), "a.mp3"));
  EXPECT_FALSE(fits(picture + layer3(20), "a.ac3"));
  EXPECT_FALSE(fits(picture + layer3(20), "a.m4a"));
  for (const auto* name : {"a", "blob", "", "a.mpga", "a.bin"})
    EXPECT_TRUE(fits(picture + layer3(20), name)) << name;
  // Other formats inside the tag; several tags; and one after which ffmpeg sees only a few bytes.
  auto hidden = picture;
  hidden.replace(300'000, 8, "\x06\x0E\x2B\x34\x02\x05\x01\x01");
  EXPECT_FALSE(fits(hidden + layer3(20), "a.mp3"));
  EXPECT_FALSE(fits(picture + id3v2(10) + layer3(20), "a.mp3"));
  EXPECT_FALSE(fits(id3v2(600'000) + id3v2(600'000) + layer3(20), "a"));
  // A tag begins with the name of a frame, or is empty.
  auto empty = picture;
  std::fill(empty.begin() + 10, empty.end(), '\0');
  EXPECT_TRUE(fits(empty + layer3(20), "a"));
  EXPECT_FALSE(fits(std::string{empty}.replace(1'000, 1, "x") + layer3(20), "a"));
  EXPECT_FALSE(fits(std::string{picture}.replace(10, 1, 1, '\0') + layer3(20), "a"));
  EXPECT_FALSE(
      fits(std::string{picture}.replace(16, 4, std::string{"\xAF\xDE\0\0", 4}) + layer3(20), "a"));
  const auto to_the_end = id3v2((1 << 20) - 1000);
  EXPECT_TRUE(fits(to_the_end + layer3(20), "a.mp3"));
  EXPECT_FALSE(fits(to_the_end + layer3(20), "a"));
  auto no_tag = picture;
  no_tag[4] = 1;  // a revision that no encoder writes
  EXPECT_FALSE(fits(no_tag + layer3(20), "a"));
  EXPECT_TRUE(fits(id3v2(1000) + layer3(20), "a"));
  EXPECT_FALSE(fits(picture + wav(noise(4000)), "a.wav"));
  EXPECT_TRUE(fits(wav(noise(4000)), "a.g722"));
  EXPECT_FALSE(fits(layer3(20), "a.G722"));
}

TEST(Sniff, ALongTagIsTheSameInAnyPieces) {
  const auto answer = [](std::string_view bytes, std::size_t piece) {
    const auto m = make_audio_meter({});
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
      m->write(bytes.substr(0, piece));
    m->finish();
    return std::tuple{m->status(), m->measured(), m->fits_name("blob"), m->fits_name("a.mp3")};
  };
  const auto tag = long_tag(1'100'000), nearly = id3v2((1 << 20) - 1000);
  auto hidden = tag;
  hidden.replace((1 << 20) - 8, 8, "\x06\x0E\x2B\x34\x02\x05\x01\x01");
  for (const auto& bytes : {tag + layer3(20), hidden + layer3(20), nearly + layer3(20),
                            tag + std::string(33, '\0') + layer3(20)})
    for (const std::size_t piece : {1, 7, 4096, 1 << 20})
      EXPECT_EQ(answer(bytes, piece), answer(bytes, bytes.size()));
  EXPECT_EQ(std::get<0>(answer(tag + layer3(20), 1)), state::measuring);
  EXPECT_EQ(std::get<0>(answer(hidden + layer3(20), 1)), state::unmeasurable);
}

TEST(Sniff, ABrokenContainerIsNotTakenForSamples) {
  const auto tag = id3v2(100);
  for (const std::string start : {"OggS", "fLaC", "\x1A\x45\xDF\xA3", "RIFF", "FORM", "#!AMR"})
    for (const auto& bytes : {start + noise(100), tag + start + noise(100)})
      EXPECT_NE(sniff(bytes, speech).container, "raw") << start;
  for (const std::string box : {"ftyp", "moov", "mdat", "wide", "free", "skip"})
    EXPECT_NE(sniff(big(8, 4) + box + noise(100), speech).container, "raw") << box;
}

TEST(Sniff, PassesOverTagsInFrontOfAnything) {
  const auto tags = id3v2(1000) + id3v2(0, true) + id3v2(70'000);
  EXPECT_EQ(sniff(tags + layer3(10)).length, duration::of_samples(11520, 44100));
  EXPECT_EQ(sniff(tags + repeat(adts_frame(4, 300), 10)).length,
            duration::of_samples(10240, 44100));
  EXPECT_EQ(sniff(id3v2(1000) + wav(noise(4000))).length, duration::of_samples(2000, 8000));
  EXPECT_EQ(sniff(tags + wav(noise(4000))).status, state::unmeasurable) << "ffmpeg passes over one";
}

TEST(Sniff, TheBytesDecideEvenWhereSamplesAreExpected) {
  EXPECT_EQ(sniff(layer3(10), speech).container, "mp3");
  EXPECT_EQ(sniff(wav(noise(4000)), speech).container, "wav");
  EXPECT_EQ(sniff(noise(30'000) + layer3(10), speech).container, "mp3");
}

// ffmpeg reads each of them as the format of the hour.
TEST(Sniff, AFewFramesOfOneKindDoNotHideAnHourOfAnother) {
  const auto aac = [](std::size_t n) { return repeat(adts_frame(4, 30), n); };
  const auto mp3 = [](std::size_t n) { return repeat(mpeg_frame(0xFFFB1000, 104), n); };
  constexpr std::size_t hour = 2000;  // or about one
  for (const auto& bytes : {mp3(6) + aac(hour), noise(10) + mp3(100) + aac(hour)})
    EXPECT_EQ(sniff(bytes).status, state::unmeasurable);
  EXPECT_EQ(sniff(aac(2) + mp3(hour)).container, "mp3");
  EXPECT_EQ(sniff(aac(3) + mp3(201) + aac(hour)).container, "adts");
  EXPECT_EQ(sniff(mp3(6) + noise(70'000) + aac(hour)).status, state::unmeasurable);
}

TEST(Sniff, WhatIsNothingKnownIsRawWhereTheCallerSaysSo) {
  const auto samples = [](std::uint64_t n) { return duration::of_samples(n, 16000); };
  EXPECT_EQ(sniff(noise(200'000), speech),
            (answer{state::measuring, samples(100'000), "raw", "pcm"}));
  EXPECT_EQ(sniff(noise(2), speech).length, samples(1));
  EXPECT_EQ(sniff(std::string(500'001, '\0'), speech).length, samples(250'000));
  EXPECT_EQ(sniff("", speech).length, duration{});
  EXPECT_EQ(sniff(id3v2(50'000).substr(0, 20'000), speech).length, samples(10'000));
}

TEST(Sniff, ElseItIsUnmeasurable) {
  for (const auto& bytes :
       {std::string{}, noise(5), noise(10), noise(200'000), std::string(200'000, '\0'), id3v2(100),
        R"({"error":"no"})" + noise(100)})
    EXPECT_EQ(sniff(bytes).status, state::unmeasurable);
}

TEST(Sniff, MakesUpItsMindWithinABound) {
  const auto m = make_audio_meter({});
  m->write("\xFF");
  m->write(noise(60'000));
  EXPECT_EQ(m->status(), state::undecided);
  m->write(noise(6'000));
  EXPECT_EQ(m->status(), state::unmeasurable);
  const auto raw = make_audio_meter({speech});
  raw->write(noise(70'000));
  EXPECT_EQ(raw->status(), state::measuring);
}

TEST(Sniff, SamplesCountWhileItIsUndecided) {
  const auto m = make_audio_meter({speech});
  m->write(noise(3200));
  EXPECT_EQ(m->measured(), duration::of_samples(1600, 16000));
}

}  // namespace
}  // namespace tollgate::routes::meters
