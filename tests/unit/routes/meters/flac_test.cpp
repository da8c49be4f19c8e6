#include "routes/meters/flac.hpp"

#include "tests/unit/routes/meters/flac_frames.hpp"

namespace tollgate::routes::meters {
namespace {

duration samples(std::uint64_t n, std::uint64_t rate = 48'000) {
  return duration::of_samples(n, rate);
}
duration length(std::string_view bytes) {
  return measure(make_flac_meter, bytes).length;
}

const flac_frame_kind cd{.rate_code = 9, .channels_code = 1};

TEST(flac, says_what_it_is) {
  const auto answer = measure(make_flac_meter, flac_head(stream_info()) + flac_frames_of(2));
  EXPECT_EQ(answer, (meters::answer{state::measuring, samples(2 * 4096), "flac", "flac"}));
}

TEST(flac, what_is_no_flac_cannot_be_measured) {
  for (const std::string bytes : {"", "fLa", "RIFF and so on", "ID3", "OggS----------------"})
    EXPECT_EQ(measure(make_flac_meter, bytes).status, state::unmeasurable) << bytes;
}

TEST(flac, total_samples_are_not_believed) {
  for (const std::uint64_t claim : {0ULL, 1ULL, 4096ULL, (1ULL << 36) - 1})
    EXPECT_EQ(length(flac_head(stream_info(48'000, claim)) + flac_frames_of(7)), samples(7 * 4096));
}

TEST(flac, frame_headers) {
  struct row {
    flac_frame_kind kind;
    std::uint64_t samples, rate;
  };
  for (const auto& [kind, count, rate] : std::initializer_list<row>{
           {{.block_size_code = 1}, 192, 48'000},
           {{.block_size_code = 2}, 576, 48'000},
           {{.block_size_code = 5}, 4608, 48'000},
           {{.block_size_code = 8}, 256, 48'000},
           {{.block_size_code = 15}, 32'768, 48'000},
           {{.block_size_code = 6, .extra = "\x0F"}, 16, 48'000},
           {{.block_size_code = 7, .extra = "\x12\x33"}, 0x1234, 48'000},
           {{.rate_code = 0}, 4096, 48'000},
           {{.rate_code = 1}, 4096, 88'200},
           {{.rate_code = 4}, 4096, 8'000},
           {{.rate_code = 11}, 4096, 96'000},
           {{.rate_code = 12, .extra = "\x10"}, 4096, 16'000},
           {{.rate_code = 13, .extra = "\x2B\x11"}, 4096, 11'025},
           {{.rate_code = 14, .extra = "\x11\x3A"}, 4096, 44'100},
           {{.block_size_code = 6, .rate_code = 12, .extra = "\xFF\x10"}, 256, 16'000}})
    EXPECT_EQ(length(flac_head(stream_info()) + flac_frames_of(2, kind)), samples(2 * count, rate));
}

TEST(flac, headers_that_are_none) {
  for (const auto& kind : std::initializer_list<flac_frame_kind>{
           {.block_size_code = 0}, {.rate_code = 15}, {.channels_code = 11}, {.bits_code = 3}})
    EXPECT_EQ(length(flac_head(stream_info()) + flac_frames_of(3, kind)), duration{});
  auto broken = flac_frame(0);
  broken[5] ^= 1;  // the CRC-8
  EXPECT_EQ(length(flac_head(stream_info()) + broken + flac_frame(1)), samples(4096));
}

TEST(flac, what_is_cut_off_counts_when_its_header_has_come) {
  const auto head = flac_head(stream_info());
  const auto bytes = head + flac_frames_of(3);
  const auto frame = flac_frame(0).size();
  EXPECT_EQ(length(bytes.substr(0, bytes.size() - 1)), samples(3 * 4096));
  EXPECT_EQ(length(bytes.substr(0, head.size() + 2 * frame + 6)), samples(3 * 4096));
  EXPECT_EQ(length(bytes.substr(0, head.size() + 2 * frame + 5)), samples(2 * 4096));
  EXPECT_EQ(length(head.substr(0, 20)), duration{});
}

// They may all have the same number, or meaningless ones; decoders ignore that.
TEST(flac, frame_numbers_are_not_believed) {
  EXPECT_EQ(length(flac_head(stream_info()) + repeat(flac_frame(0), 5)), samples(5 * 4096));
}

TEST(flac, begun_in_the_middle) {
  EXPECT_EQ(length(flac_frames_of(5)), samples(5 * 4096));
  EXPECT_EQ(length(flac_frame(1)), samples(4096));
}

TEST(flac, tags_around) {
  EXPECT_EQ(length(id3v2(300) + id3v2(7) + flac_head(stream_info()) + flac_frames_of(2) + "TAG" +
                   noise(125)),
            samples(2 * 4096));
}

TEST(flac, files_one_after_the_other) {
  const auto one = flac_head(stream_info()) + flac_frames_of(3);
  const auto other = flac_head(stream_info(44'100)) + flac_frames_of(4, cd);
  EXPECT_EQ(length(one + one), samples(6 * 4096));
  EXPECT_EQ(length(one + other + one), samples(6 * 4096) + samples(4 * 4096, 44'100));
}

TEST(flac, a_format_that_changes_counts_by_the_checksum_of_the_frame) {
  const auto head = flac_head(stream_info());
  EXPECT_EQ(length(head + flac_frame(0) + flac_frames_of(4, cd) + flac_frame(1)),
            samples(2 * 4096) + samples(4 * 4096, 44'100));
  // All frames have another format than the header says.
  EXPECT_EQ(length(head + flac_frames_of(4, cd)), samples(4 * 4096, 44'100));
}

TEST(flac, a_stray_header_of_another_format_does_not_count) {
  auto frame = flac_frame(0, {}, 400);
  frame.replace(50, 6, flac_frame(9, cd).substr(0, 6));
  frame.resize(frame.size() - 2);
  frame += big(crc16(0, frame), 2);
  EXPECT_EQ(length(flac_head(stream_info()) + frame + flac_frame(1)), samples(2 * 4096));
}

}  // namespace
}  // namespace tollgate::routes::meters
