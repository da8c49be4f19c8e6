#include "routes/meters/wav.hpp"

#include "tests/unit/routes/meters/feed.hpp"
#include "tests/unit/routes/meters/mpeg_frames.hpp"

namespace tollgate::routes::meters {
namespace {

answer wav(std::string_view bytes) {
  return measure(make_wav_meter, bytes);
}

struct fmt {
  unsigned tag = 1, channels = 1, rate = 8000, block_bytes = 2, bits = 16;
  std::string extra = {};
};

std::string chunk(std::string_view id, std::string_view content) {
  return std::string{id} + little(content.size(), 4) + std::string{content} +
         std::string(content.size() % 2, '\0');
}

std::string format(const fmt& f) {
  return chunk("fmt ", little(f.tag, 2) + little(f.channels, 2) + little(f.rate, 4) +
                           little(f.rate * f.block_bytes, 4) + little(f.block_bytes, 2) +
                           little(f.bits, 2) + f.extra);
}

std::string riff(std::string_view chunks) {
  return "RIFF" + little(chunks.size() + 4, 4) + "WAVE" + std::string{chunks};
}
std::string file(const fmt& f, std::string_view data) {
  return riff(format(f) + chunk("data", data));
}
std::string data_of_size(std::uint32_t size, std::string_view data) {
  return "data" + little(size, 4) + std::string{data};
}

// WAVEFORMATEXTENSIBLE after the plain fields.
std::string extension(unsigned valid_bits, unsigned tag) {
  return little(22, 2) + little(valid_bits, 2) + little(4, 4) + little(tag, 2) +
         std::string{"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14};
}

duration at_8000(std::uint64_t samples) {
  return duration::of_samples(samples, 8000);
}

TEST(Wav, CountsEveryFormat) {
  struct known {
    fmt format;
    std::string_view codec;
    std::uint64_t samples;  // in 72,000 bytes
  };
  const known all[]{{{1, 1, 8000, 1, 8}, "pcm_u8", 72'000},
                    {{1, 2, 8000, 4, 16}, "pcm_s16le", 18'000},
                    {{1, 1, 8000, 3, 24}, "pcm_s24le", 24'000},
                    {{1, 3, 8000, 12, 32}, "pcm_s32le", 6'000},
                    {{1, 1, 8000, 8, 64}, "pcm_s64le", 9'000},
                    {{3, 1, 8000, 4, 32}, "pcm_f32le", 18'000},
                    {{3, 1, 8000, 8, 64}, "pcm_f64le", 9'000},
                    {{6, 1, 8000, 1, 8}, "pcm_alaw", 72'000},
                    {{7, 2, 8000, 2, 8}, "pcm_mulaw", 36'000},
                    {{2, 1, 8000, 500, 4}, "adpcm_ms", 144 * 988},
                    {{2, 2, 8000, 500, 4}, "adpcm_ms", 144 * 488},
                    {{0x11, 1, 8000, 500, 4}, "adpcm_ima_wav", 144 * 993},
                    {{0x11, 2, 8000, 1000, 4}, "adpcm_ima_wav", 72 * 993},
                    {{0x31, 1, 8000, 65, 0}, "gsm_ms", 72'000 / 65 * 320},
                    {{0xFFFE, 2, 8000, 4, 16, extension(16, 1)}, "pcm_s16le", 18'000},
                    {{0xFFFE, 1, 8000, 4, 32, extension(32, 3)}, "pcm_f32le", 18'000},
                    {{0xFFFE, 1, 8000, 4, 32, extension(24, 1)}, "pcm_s24le", 18'000}};
  for (const auto& each : all)
    EXPECT_EQ(wav(file(each.format, noise(72'000))),
              (answer{state::measuring, at_8000(each.samples), "wav", std::string{each.codec}}));
}

TEST(Wav, SizesThatAreNotKnownMeanTheRest) {
  const auto data = noise(100'000);
  for (const std::uint32_t size : {0u, 0xFFFFFFFFu, 0x80000000u, 0x7FFFFFDBu, 100'000u, 100'001u})
    EXPECT_EQ(wav(riff(format({}) + data_of_size(size, data))).length, at_8000(50'000)) << size;
}

TEST(Wav, ACutFileIsWorthWhatIsInIt) {
  const auto whole = file({}, noise(5000));
  EXPECT_EQ(wav(whole.substr(0, 44 + 999)).length, at_8000(499));
  EXPECT_EQ(wav(whole.substr(0, 44)).length, duration{});
  EXPECT_EQ(wav(whole.substr(0, 30)).status, state::unmeasurable);
}

TEST(Wav, ABlockThatIsCutOffIsPlayedAsFarAsItGoes) {
  EXPECT_EQ(wav(file({0x11, 1, 8000, 256, 4}, noise(256 * 2 + 104))).length,
            at_8000(2 * 505 + 201));
  EXPECT_EQ(wav(file({0x11, 1, 8000, 256, 4}, noise(256 * 2 + 3))).length, at_8000(2 * 505));
  EXPECT_EQ(wav(file({0x31, 1, 8000, 65, 0}, noise(65 * 2 + 64))).length, at_8000(640));
}

TEST(Wav, PassesOverOtherChunks) {
  const auto odd = chunk("LIST", noise(333)), data = chunk("data", noise(4001));
  EXPECT_EQ(wav(riff(odd + format({}) + odd + data + odd)).length, at_8000(2000));
  EXPECT_EQ(wav(riff(format({}) + data_of_size(4000, noise(4000)) + noise(5000))).length,
            at_8000(2000));
}

TEST(Wav, AllDataChunksCount) {
  const auto even = chunk("data", noise(4000)), odd = chunk("data", noise(4001));
  EXPECT_EQ(wav(riff(format({}) + even + even)).length, at_8000(4000));
  EXPECT_EQ(wav(riff(format({}) + odd + even)).length, at_8000(4000));
  const auto not_padded = odd.substr(0, odd.size() - 1);
  EXPECT_EQ(wav(riff(format({}) + not_padded + even)).length, at_8000(4000));
}

TEST(Wav, LongFilesSayTheirSizeElsewhere) {
  const auto long_file = [](std::string_view form, std::uint64_t size, std::uint32_t short_size) {
    return std::string{form} + little(0xFFFFFFFF, 4) + "WAVE" +
           chunk("ds64", little(99, 8) + little(size, 8) + little(7, 8) + little(0, 4)) +
           format({}) + data_of_size(short_size, noise(6000));
  };
  for (const auto* form : {"RF64", "BW64"}) {
    EXPECT_EQ(wav(long_file(form, 4000, 0xFFFFFFFF)).length, at_8000(2000));
    EXPECT_EQ(wav(long_file(form, std::uint64_t{1} << 63, 0xFFFFFFFF)).length, at_8000(3000));
    EXPECT_EQ(wav(long_file(form, ~std::uint64_t{0}, 0)).length, at_8000(3000));
    EXPECT_EQ(wav(long_file(form, 0, 0xFFFFFFFF)).length, at_8000(3000));
    EXPECT_EQ(wav(long_file(form, 4000, 200)).length, at_8000(2000)) << "the longer of the two";
    EXPECT_EQ(wav(long_file(form, 200, 4000)).length, at_8000(2000));
  }
}

TEST(Wav, OnlyLongFilesSayTheirSizeElsewhere) {
  const auto sizes = chunk("ds64", little(99, 8) + little(4, 8) + little(2, 8) + little(0, 4));
  EXPECT_EQ(wav(riff(sizes + format({}) + data_of_size(0xFFFFFFFF, noise(6000)))).length,
            at_8000(3000));
  EXPECT_EQ(wav("RF64" + little(0xFFFFFFFF, 4) + "WAVE" + format({}) + sizes +
                data_of_size(0xFFFFFFFF, noise(6000)))
                .status,
            state::unmeasurable);
}

TEST(Wav, WhatDecodersTakeForOtherAudioIsUnmeasurable) {
  const auto status = [](const std::string& bytes) { return wav(bytes).status; };
  for (const auto* id : {"XMA2", "SMV0", "xobX"})
    EXPECT_EQ(status(riff(chunk(id, noise(40)) + format({}) + chunk("data", noise(4000)))),
              state::unmeasurable);
  const auto in_samples = [&](const std::string& sign, std::size_t times, std::uint32_t bits = 16) {
    return status(
        file({1, 2, 48'000, bits / 4, bits}, noise(500) + repeat(sign + noise(500), times)));
  };
  const std::string burst("\x72\xF8\x1F\x4E\x01\x00", 6), dts("\x7F\xFE\x80\x01", 4),
      truehd("\xF8\x72\x6F\xBA", 4);
  EXPECT_EQ(in_samples(burst, 2), state::unmeasurable);
  EXPECT_EQ(in_samples(burst, 2, 24), state::unmeasurable);
  EXPECT_EQ(in_samples(burst, 1), state::measuring);
  EXPECT_EQ(in_samples(dts, 4), state::unmeasurable);
  EXPECT_EQ(in_samples(dts, 4, 24), state::measuring) << "ffmpeg looks into 16 bits only";
  EXPECT_EQ(in_samples(truehd, 5), state::unmeasurable);
  const auto ac3 = "\x0B\x77" + big(0, 2) + "\x08\x40" + noise(250);
  EXPECT_EQ(status(file({1, 2, 48'000, 4, 16}, noise(99) + repeat(ac3, 4))), state::unmeasurable);
  const auto latm = "\x56\xE0\x64" + noise(100);
  EXPECT_EQ(status(file({1, 2, 48'000, 4, 16}, repeat(latm, 4))), state::unmeasurable);
}

// From a voice recorder: G.729 after a header like WAV's.
TEST(Wav, AnActFileIsNoWav) {
  const auto head = riff(format({}) + data_of_size(100'000, "")) + std::string(212, '\0');
  const auto rest = std::string(7, '\1') + std::string(248, '\0') + noise(5000);
  EXPECT_EQ(wav(head + "\x84" + rest).status, state::unmeasurable);
  EXPECT_EQ(wav(head + "\x85" + rest).status, state::measuring);
}

TEST(Wav, ReadsBigEndianFiles) {
  const auto format = "fmt " + big(16, 4) + big(1, 2) + big(1, 2) + big(8000, 4) + big(16000, 4) +
                      big(2, 2) + big(16, 2);
  EXPECT_EQ(wav("RIFX" + big(0, 4) + "WAVE" + format + "data" + big(4000, 4) + noise(4000)),
            (answer{state::measuring, at_8000(2000), "wav", "pcm_s16be"}));
}

TEST(Wav, BitsAndChannelsTellAndNotWhatElseIsClaimed) {
  const auto data = noise(4000);
  for (const unsigned block_bytes : {0u, 1u, 400u, 65535u})
    EXPECT_EQ(wav(file({1, 1, 8000, block_bytes, 16}, data)).length, at_8000(2000));
  EXPECT_EQ(wav(file({1, 1, 8000, 4, 9}, data)).length, at_8000(2000)) << "up to bytes";
  EXPECT_EQ(wav(file({1, 1, 8000, 4, 24}, data)).length, at_8000(1000)) << "24 bits in 32";
  EXPECT_EQ(wav(file({0xFFFE, 1, 8000, 4, 32, extension(8, 1)}, data)).length, at_8000(4000));
  EXPECT_EQ(wav(riff(format({}) + chunk("fact", little(1, 4)) + chunk("data", data))).length,
            at_8000(2000));
  EXPECT_EQ(wav(riff(format({}) + format({1, 200}) + chunk("data", data))).length, at_8000(2000));
}

TEST(Wav, BlocksWithoutASizeAreReadAsFfmpegDoes) {
  EXPECT_EQ(wav(file({0x11, 1, 8000, 0, 4}, noise(8192))).length, at_8000(2 * (1 + 4092 * 2)));
}

TEST(Wav, WhatNoDecoderPlaysIsUnmeasurable) {
  const fmt none[]{{1, 0},
                   {1, 1, 0},
                   {1, 1, 8000, 2, 0},
                   {1, 1, 8000, 5, 40},
                   {1, 1, 8000, 2, 65},
                   {3, 1, 8000, 2, 16},
                   {0x11, 1, 8000, 4, 16},
                   {0x11, 2, 8000, 7, 4},
                   {0x31, 1, 8000, 650, 0},
                   {0x161, 2, 44100, 4459, 16},
                   {0xFFFE},
                   {0xFFFE, 1, 8000, 2, 16, extension(16, 0x161)}};
  for (const auto& f : none) {
    EXPECT_EQ(wav(file(f, noise(5000))).status, state::unmeasurable) << f.tag << " " << f.bits;
  }
}

TEST(Wav, NothingElseIsWav) {
  for (const std::string_view not_wav : {"", "RIFF", "RIFF    AVI LIST    ", "XXXX    WAVEfmt "})
    EXPECT_EQ(wav(not_wav).status, state::unmeasurable);
  EXPECT_EQ(wav(riff(chunk("data", noise(4000)) + format({}))).status, state::unmeasurable);
  EXPECT_EQ(wav(riff(chunk("fmt ", noise(13)) + chunk("data", noise(4000)))).status,
            state::unmeasurable);
}

TEST(Wav, CountsFramesInsideAsInFilesOfTheirOwn) {
  const auto mp3 = layer3(20), aac = repeat(adts_frame(4, 300), 20);
  EXPECT_EQ(wav(file({0x55, 2, 44100, 1, 0}, mp3)),
            (answer{state::measuring, duration::of_samples(20 * 1152, 44100), "wav", "mp3"}));
  EXPECT_EQ(wav(file({0x1600, 2, 44100, 1, 0}, aac)),
            (answer{state::measuring, duration::of_samples(20 * 1024, 44100), "wav", "aac"}));
  EXPECT_EQ(wav(file({0x55, 2, 44100, 1, 0}, noise(5000))).status, state::unmeasurable);
}

TEST(Wav, FramesPassedOffAsSamplesCountAsFrames) {
  const auto mp3 = layer3(20), aac = repeat(adts_frame(4, 300), 20);
  const fmt dear{1, 8, 192'000, 16, 16};
  EXPECT_EQ(wav(file(dear, mp3)),
            (answer{state::measuring, duration::of_samples(20 * 1152, 44100), "wav", "mp3"}));
  EXPECT_EQ(wav(file(dear, aac)).length, duration::of_samples(20 * 1024, 44100));
}

TEST(Wav, IsWorthSomethingFromTheFirstSampleOn) {
  const auto m = make_wav_meter();
  m->write(riff(format({}) + data_of_size(100'000, "")));
  m->write(noise(100));
  EXPECT_EQ(m->status(), state::measuring);
  EXPECT_EQ(m->measured(), at_8000(50));
}

}  // namespace
}  // namespace tollgate::routes::meters
