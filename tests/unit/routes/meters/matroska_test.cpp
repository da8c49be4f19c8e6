#include "routes/meters/matroska.hpp"

#include <bit>

#include "routes/meters/matroska_ids.hpp"
#include "routes/meters/opus.hpp"
#include "tests/unit/routes/meters/flac_frames.hpp"
#include "tests/unit/routes/meters/ogg_pages.hpp"

namespace tollgate::routes::meters {
namespace {

namespace id = matroska_id;
constexpr std::uint32_t unheard_of = 0x4DFF;
using id::void_element;
constexpr std::uint32_t timestamp = 0xE7, timestamp_scale = 0x2AD7B1;

std::string id_bytes(std::uint32_t id) {
  return big(id, (std::bit_width(id) + 7U) / 8);
}
std::string head(std::uint32_t id, std::uint64_t size) {
  return id_bytes(id) + big(size | 1ULL << 56, 8);
}
std::string element(std::uint32_t id, const std::string& content) {
  return head(id, content.size()) + content;
}
std::string live(std::uint32_t id, const std::string& content) {
  return id_bytes(id) + "\xFF" + content;
}
std::string number(std::uint32_t id, std::uint64_t value) {
  return element(id, big(value, 4));
}

struct track {
  std::string codec = "A_OPUS";
  std::string codec_private = opus_head();
  std::uint64_t number = 1, type = 2;
  std::string more = {};
};

std::string track_entry_of(const track& t) {
  return element(id::track_entry, number(id::track_number, t.number) +
                                      number(id::track_type, t.type) +
                                      element(id::codec_id, t.codec) +
                                      element(id::codec_private, t.codec_private) + t.more);
}
std::string tracks(const std::vector<track>& all = {{}}) {
  std::string content;
  for (const auto& each : all) content += track_entry_of(each);
  return element(id::tracks, content);
}

std::string block_content(const std::string& frames, int lacing = 0, std::uint64_t track = 1,
                          std::uint64_t time = 0) {
  return big(track | 0x80, 1) + big(time, 2) + big(static_cast<std::uint64_t>(lacing) << 1, 1) +
         frames;
}
std::string simple_block(const std::string& frames, int lacing = 0, std::uint64_t track = 1,
                         std::uint64_t time = 0) {
  return element(id::simple_block, block_content(frames, lacing, track, time));
}
std::string opus_blocks(std::size_t count, std::uint64_t track = 1) {
  return repeat(simple_block(opus_packet(), 0, track), count);
}
std::string cluster(const std::string& content) {
  return element(id::cluster, number(timestamp, 0) + content);
}
const auto ebml = element(id::ebml, element(0x4282, "webm"));
std::string file(const std::string& content) {
  return ebml + element(id::segment, content);
}
std::string live_file(const std::string& content) {
  return ebml + live(id::segment, content);
}

duration length(std::string_view bytes) {
  return measure(make_matroska_meter, bytes).length;
}
state status(std::string_view bytes) {
  return measure(make_matroska_meter, bytes).status;
}
duration after_skip(std::int64_t n) {
  return opus_packets::of_samples(n * 960 - 312);
}

TEST(matroska, says_what_it_is) {
  EXPECT_EQ(measure(make_matroska_meter, file(tracks() + cluster(opus_blocks(9)))),
            (answer{state::measuring, after_skip(9), "matroska", "opus"}));
}

TEST(matroska, what_is_no_audio_cannot_be_measured) {
  const auto video = track{.codec = "V_VP8", .codec_private = {}, .type = 1};
  for (const auto& bytes : {std::string{}, std::string{"\x1A\x45"}, noise(100), ebml,
                            file(tracks({video}) + cluster(opus_blocks(9)))})
    EXPECT_EQ(measure(make_matroska_meter, bytes).status, state::unmeasurable);
}

TEST(matroska, duration_and_timestamps_are_not_believed) {
  const auto info =
      element(id::info, number(timestamp_scale, 1'000'000) + element(0x4489, std::string(8, '\0')));
  EXPECT_EQ(length(file(info + tracks() + cluster(opus_blocks(99)))), after_skip(99));
}

TEST(matroska, sizes_may_be_unknown) {
  const auto content = number(timestamp, 0) + opus_blocks(5);
  EXPECT_EQ(length(live_file(tracks() + live(id::cluster, content) + live(id::cluster, content) +
                             element(id::cues, element(0xBB, number(0xB3, 0))) +
                             cluster(opus_blocks(5)))),
            after_skip(15));
}

TEST(matroska, elements_of_no_interest_are_passed_over) {
  const auto padding = element(void_element, noise(300));
  const auto bytes = padding + element(unheard_of, noise(30));
  EXPECT_EQ(length(live_file(padding + element(id::info, bytes) + tracks() + padding +
                             element(id::attachments, element(0x61A7, bytes)) +
                             cluster(bytes + opus_blocks(5) + bytes))),
            after_skip(5));
}

TEST(matroska, a_block_counts_when_it_is_whole) {
  const auto bytes = live_file(tracks() + live(id::cluster, opus_blocks(5)));
  EXPECT_EQ(length(bytes.substr(0, bytes.size() - 1)), after_skip(4));
}

TEST(matroska, lacing) {
  const auto small = opus_packet(40), large = opus_packet(400);
  const auto length_of = [&](const std::string& block) {
    return length(file(tracks() + cluster(block + opus_blocks(1))));
  };
  constexpr int xiph = 1, fixed = 2, ebml_lacing = 3;
  EXPECT_EQ(length_of(simple_block(big(2, 1) + "\x28\xFF\x91" + small + large + small, xiph)),
            after_skip(4));
  EXPECT_EQ(length_of(simple_block(big(2, 1) + small + small + small, fixed)), after_skip(4));
  // 40, then 360 more, then the rest.
  EXPECT_EQ(
      length_of(simple_block(
          big(2, 1) + "\xA8" + big(0x4000 | (360 + 8191), 2) + small + large + small, ebml_lacing)),
      after_skip(4));
  EXPECT_EQ(length_of(simple_block(std::string(1, '\0') + small, xiph)), after_skip(2));
  // Inconsistent values are dropped.
  EXPECT_EQ(length_of(simple_block(big(2, 1) + small + small + "xx", fixed)), after_skip(1));
  EXPECT_EQ(length_of(simple_block(big(1, 1) + "\x50" + small, xiph)), after_skip(1));
  EXPECT_EQ(length_of(simple_block(big(200, 1) + "\xFF\xFF", xiph)), after_skip(1));
  EXPECT_EQ(length_of(simple_block(big(2, 1) + "\x81\x81" + small, ebml_lacing)), after_skip(1));
  EXPECT_EQ(length_of(simple_block("", xiph)), after_skip(1));
  EXPECT_EQ(length_of(element(id::simple_block, "\x81")), after_skip(1));
}

TEST(matroska, the_end_of_the_last_block_may_be_discarded) {
  const auto group = [](std::uint64_t ns) {
    return element(id::block_group, element(id::block, block_content(opus_packet())) +
                                        element(id::discard_padding, big(ns, 8)));
  };
  const auto begin = tracks() + cluster(opus_blocks(5));
  EXPECT_EQ(length(file(begin + cluster(group(10'000'000)))),
            after_skip(6) - duration::of_samples(1, 100));
  EXPECT_EQ(length(file(begin + cluster(group(30'000'000)))), after_skip(6));
  EXPECT_EQ(length(file(begin + cluster(group(~0ULL)))), after_skip(6));
  EXPECT_EQ(length(file(begin + cluster(repeat(group(20'000'000), 50) + opus_blocks(1)))),
            after_skip(56));
}

TEST(matroska, tracks_count_by_the_longest) {
  EXPECT_EQ(length(file(tracks({{}, {.number = 2}, {.codec = "V_VP8", .number = 3, .type = 1}}) +
                        cluster(opus_blocks(2, 1) + opus_blocks(7, 2) + opus_blocks(90, 3)))),
            after_skip(7));
}

TEST(matroska, files_one_after_the_other) {
  const auto one = file(tracks() + cluster(opus_blocks(5)));
  const auto other = live_file(tracks() + live(id::cluster, opus_blocks(5)));
  EXPECT_EQ(length(one + one), after_skip(10));
  EXPECT_EQ(length(other + other + one), after_skip(15));
}

TEST(matroska, codecs) {
  const auto audio = [](const std::string& content) { return element(id::audio, content); };
  const auto cd =
      audio(element(id::sampling_frequency, big(std::bit_cast<std::uint32_t>(44100.F), 4)) +
            number(id::channels, 2) + number(id::bit_depth, 16));
  struct row {
    track entry;
    std::string frame;
    duration expected;
    std::string name;
  };
  const auto at_44100 = [](std::uint64_t n) { return duration::of_samples(n, 44'100); };
  for (const auto& [entry, frame, expected, name] : std::initializer_list<row>{
           {{"A_PCM/INT/LIT", "", 1, 2, cd}, noise(4 * 100 + 3), at_44100(100), "pcm"},
           {{"A_AAC", "\x12\x10", 1, 2, {}}, noise(300), at_44100(1024), "aac"},
           {{"A_AAC", "", 1, 2, cd}, noise(300), at_44100(1024), "aac"},
           {{"A_AAC", "\x12\x10", 1, 2, {}}, repeat({"\0\0\0\x07", 4}, 2), at_44100(2048), "aac"},
           {{"A_AAC/MPEG4/MAIN", "", 1, 2, cd},
            repeat({"\0\0\0\xC0\x08\xE0", 6}, 2),
            at_44100(2048),
            "aac"},
           {{"A_MPEG/L3", "", 1, 2, cd},
            repeat("\xFF\xFB\x90\x44" + noise(413) + std::string(2, '\0'), 3) + "end",
            at_44100(3 * 1152),
            "layer 3"},
           {{"A_AC3", "", 1, 2, {}},
            repeat("\x0B\x77" + big(0, 2) + "\x08\x40" + noise(250), 3) + "end",
            duration::of_samples(3 * 1536, 48'000),
            "ac3"},
           {{"A_EAC3", "", 1, 2, {}},
            repeat("\x0B\x77" + big(49, 2) + "\x34\x80" + noise(94), 2),
            duration::of_samples(2 * 1536, 48'000),
            "eac3"},
           {{"A_ALAC", big(4096, 4) + noise(16) + big(44'100, 4), 1, 2, {}},
            std::string(90, '\0'),
            at_44100(4096),
            "alac"},
           {{"A_FLAC", "fLaC" + big(34, 4) + stream_info(), 1, 2, {}},
            flac_frame(0) + flac_frame(1),
            duration::of_samples(8192, 48'000),
            "flac"}}) {
    const auto answer =
        measure(make_matroska_meter, file(tracks({entry}) + cluster(simple_block(frame))));
    EXPECT_EQ(answer.length, expected) << entry.codec;
    EXPECT_EQ(answer.codec, name);
  }
}

// A Void that extends into the id of the Cluster after it.
TEST(matroska, a_cluster_that_begins_in_another_element_cannot_be_measured) {
  for (const std::size_t swallowed : {1U, 2U, 4U, 5U}) {
    const auto space = "\xEC" + big(0x80 | (20 + swallowed), 1) + noise(20);
    const auto bytes = file(tracks() + space + cluster(opus_blocks(50)) + cluster(opus_blocks(5)));
    EXPECT_EQ(measure(make_matroska_meter, bytes).status, state::unmeasurable) << swallowed;
  }
}

TEST(matroska, aac_that_cannot_be_followed_cannot_be_measured) {
  const std::string adts{"\xFF\xF1\x50\x40\x01\x7F\xFC\0\0\0\x07", 11};
  const auto of = [](const track& entry, const std::string& frame) {
    return measure(make_matroska_meter, file(tracks({entry}) + cluster(simple_block(frame))))
        .status;
  };
  const auto cd = element(
      id::audio, element(id::sampling_frequency, big(std::bit_cast<std::uint32_t>(44100.F), 4)));
  EXPECT_EQ(of({"A_AAC", "\x12\x10", 1, 2, {}}, adts), state::unmeasurable) << "headers of ADTS";
  EXPECT_EQ(of({"A_AAC", "\x12\x10", 1, 2, {}}, noise(70'000)), state::unmeasurable) << "too large";
  EXPECT_EQ(of({"A_AAC", "\x1A\x10", 1, 2, {}}, noise(70)), state::unmeasurable) << "SSR";
  EXPECT_EQ(of({"A_AAC/MPEG2/SSR", "", 1, 2, cd}, noise(70)), state::unmeasurable) << "SSR";
}

TEST(matroska, headers_that_were_stripped_are_put_back) {
  const auto encoding = [](std::uint64_t algorithm) {
    return element(id::content_encodings,
                   element(id::content_encoding,
                           element(id::content_compression,
                                   number(id::compression_algorithm, algorithm) +
                                       element(id::compression_settings, "\xFF\xFB\x90"))));
  };
  const auto bytes = [&](std::uint64_t algorithm) {
    return file(tracks({{"A_MPEG/L3", "", 1, 2, encoding(algorithm)}}) +
                cluster(repeat(simple_block("\x44" + noise(413)), 5)));
  };
  EXPECT_EQ(length(bytes(3)), duration::of_samples(5 * 1152, 44'100));
}

// Decoders undo it; the meter cannot see how long the frames are.
TEST(matroska, other_encodings_of_frames_cannot_be_measured) {
  const auto compression = [](const std::string& content) {
    return element(id::content_compression, content);
  };
  const auto stripping = number(id::compression_algorithm, 3);
  const auto encoded = [&](const std::string& content) {
    const auto encodings = element(id::content_encodings, content);
    return measure(make_matroska_meter, file(tracks({{"A_OPUS", opus_head(), 1, 2, encodings}}) +
                                             cluster(opus_blocks(9))))
        .status;
  };
  const auto one = [](const std::string& content) {
    return element(id::content_encoding, content);
  };
  EXPECT_EQ(encoded(one(compression(stripping))), state::measuring);
  for (const auto& content :
       {one(""), one(compression("")), one(compression(number(id::compression_algorithm, 0))),
        one(compression(number(id::compression_algorithm, 1))),
        one(compression(number(id::compression_algorithm, 2))),
        one(compression(stripping) + number(id::encoding_scope, 3)),
        one(compression(stripping) + number(id::encoding_type, 1)),
        one(compression(stripping + element(id::compression_settings, noise(17)))),
        one(compression(stripping + element(id::compression_settings, noise(100)))),
        one(compression(stripping)) + one(compression(stripping))})
    EXPECT_EQ(encoded(content), state::unmeasurable);
}

TEST(matroska, codecs_that_only_timestamps_tell_of_cannot_be_measured) {
  for (const auto* codec :
       {"A_UNKNOWN", "A_DTS", "A_TRUEHD", "A_MS/ACM", "A_TTA1", "A_ALAC", "A_VORBIS"})
    EXPECT_EQ(measure(make_matroska_meter,
                      file(tracks({{codec, "", 1, 2, {}}}) + cluster(simple_block(noise(50)))))
                  .status,
              state::unmeasurable)
        << codec;
}

TEST(matroska, samples_of_odd_sizes_cannot_be_measured) {
  const auto status = [](const char* codec, std::uint64_t bits) {
    const auto audio = element(id::audio, number(id::channels, 1) + number(id::bit_depth, bits));
    return measure(make_matroska_meter,
                   file(tracks({{codec, "", 1, 2, audio}}) + cluster(simple_block(noise(5000)))))
        .status;
  };
  for (const std::uint64_t bits : {8, 16, 24, 32})
    EXPECT_EQ(status("A_PCM/INT/BIG", bits), state::measuring);
  for (const std::uint64_t bits : {0, 1, 12, 48, 64, 1024})
    EXPECT_EQ(status("A_PCM/INT/LIT", bits), state::unmeasurable);
  EXPECT_EQ(status("A_PCM/FLOAT/IEEE", 64), state::measuring);
  EXPECT_EQ(status("A_PCM/FLOAT/IEEE", 16), state::unmeasurable);
}

TEST(matroska, a_file_that_is_known_by_nothing_cannot_be_measured) {
  const auto content = element(id::segment, tracks() + cluster(opus_blocks(9)));
  for (const auto& head : {element(id::ebml, ""), element(id::ebml, element(0x4282, "webmx")),
                           element(id::ebml, element(0x4282, "webm") + noise(2000))})
    EXPECT_EQ(measure(make_matroska_meter, head + content).status, state::unmeasurable);
}

// ffmpeg returns to skipped bytes if anything after them is wrong, and plays them.
TEST(matroska, a_cluster_in_other_content_makes_it_unmeasurable) {
  const auto hidden = cluster(opus_blocks(50));
  for (const auto container : {std::uint32_t{void_element}, unheard_of, std::uint32_t{id::tags},
                               std::uint32_t{id::simple_block}, std::uint32_t{id::codec_private}}) {
    const auto around = element(container, noise(20) + hidden + noise(20));
    for (const auto& bytes :
         {tracks() + around + cluster(opus_blocks(5)), tracks() + cluster(opus_blocks(5)) + around,
          tracks() + head(container, 1 << 30) + hidden}) {
      EXPECT_EQ(measure(make_matroska_meter, live_file(bytes)).status, state::unmeasurable)
          << container;
    }
  }
  EXPECT_EQ(status(live_file(tracks() + head(id::cluster, 1 << 30) + hidden)), state::unmeasurable);
}

// Decoders search for its id byte by byte, wherever elements begin and end.
TEST(matroska, a_cluster_across_the_end_of_other_content_makes_it_unmeasurable) {
  const auto rest = cluster(opus_blocks(50)), second = cluster(opus_blocks(5));
  for (std::uint64_t swallowed = 1; swallowed <= 4; ++swallowed)
    for (const auto around :
         {std::uint32_t{id::tags}, std::uint32_t{id::cues}, std::uint32_t{void_element},
          std::uint32_t{id::info}, std::uint32_t{id::attachments}}) {
      const auto content = element(void_element, "12345");
      EXPECT_EQ(status(live_file(tracks() + head(around, content.size() + swallowed) + content +
                                 rest + second)),
                state::unmeasurable)
          << around << ' ' << swallowed;
    }
  const auto block = block_content(opus_packet());
  EXPECT_EQ(
      status(live_file(tracks() +
                       live(id::cluster, opus_blocks(5) + head(id::simple_block, block.size() + 1) +
                                             block + rest))),
      state::unmeasurable);
}

// The frames of a codec may contain a Cluster's id by chance.
TEST(matroska, an_id_in_frames_matters_where_decoders_go_back) {
  const auto id_in = [](const std::string& before) {
    return simple_block(before + opus_packet() + id_bytes(id::cluster) + "\x81\x42\x86" +
                        noise(30));
  };
  const auto begin = tracks() + live(id::cluster, opus_blocks(5) + id_in(""));
  EXPECT_EQ(length(live_file(begin + opus_blocks(4) + cluster(opus_blocks(5)))), after_skip(15));
  EXPECT_EQ(length(live_file(begin + opus_blocks(4) + std::string(9, '\0'))), after_skip(10));
  EXPECT_EQ(status(live_file(begin + std::string(9, '\0'))), state::unmeasurable);
  EXPECT_EQ(status(live_file(begin)), state::unmeasurable);  // is that the end?
  EXPECT_EQ(status(live_file(begin + head(void_element, 99) + "cut off")), state::unmeasurable);
  constexpr int ebml_lacing = 3;
  const auto broken =
      simple_block(big(2, 1) + "\x81\x81" + id_bytes(id::cluster) + noise(30), ebml_lacing);
  EXPECT_EQ(status(live_file(tracks() + cluster(opus_blocks(5) + broken + opus_blocks(5)))),
            state::unmeasurable);
}

// Decoders also undo the encoding of other tracks, and go back if they fail.
TEST(matroska, an_id_in_other_tracks_matters_where_decoders_look_into_them) {
  const auto cluster_in = id_bytes(id::cluster) + "\x81\x42\x86" + noise(30);
  const auto with = [&](const std::string& codec, std::uint64_t type, const std::string& more,
                        int lacing = 0) {
    const auto other =
        track{.codec = codec, .codec_private = {}, .number = 2, .type = type, .more = more};
    return status(live_file(tracks({{}, other}) +
                            cluster(simple_block(cluster_in, lacing, 2) + opus_blocks(5))));
  };
  const auto zlib = element(id::content_encodings, element(id::content_encoding, ""));
  EXPECT_EQ(with("V_VP8", 1, ""), state::measuring);
  EXPECT_EQ(with("V_VP8", 1, "", 1), state::unmeasurable);
  EXPECT_EQ(with("V_VP8", 1, zlib), state::unmeasurable);
  EXPECT_EQ(with("V_PRORES", 1, ""), state::unmeasurable);
  EXPECT_EQ(with("D_WEBVTT/SUBTITLES", 17, ""), state::unmeasurable);
  // Sizes of a lace without frames.
  const auto laced = simple_block(big(9, 1) + id_bytes(id::cluster), 3);
  EXPECT_EQ(status(live_file(tracks() + cluster(opus_blocks(5) + laced + opus_blocks(5)))),
            state::unmeasurable);
  const auto large = simple_block(opus_packet() + cluster_in + std::string(2 << 20, 'x'));
  EXPECT_EQ(status(live_file(tracks() + cluster(opus_blocks(5) + large + opus_blocks(5)))),
            state::unmeasurable);
}

TEST(matroska, what_stands_where_it_does_not_belong_makes_it_unmeasurable) {
  const auto good = tracks() + cluster(opus_blocks(5));
  const auto in_track = [](const std::string& more) {
    return live_file(tracks({{.more = more}}) + cluster(opus_blocks(5)));
  };
  EXPECT_EQ(
      length(in_track(element(id::audio, number(id::channels, 1)) + element(0x536E, noise(30)))),
      after_skip(5));
  for (const auto& bytes : {
           live_file(good + element(unheard_of, "")),
           live_file(good + element(id::block, block_content(opus_packet()))),
           live_file(tracks() + cluster(element(id::block, block_content(opus_packet())))),
           live_file(tracks() + cluster(element(id::tags, "") + opus_blocks(5))),
           live_file(tracks() + cluster(opus_blocks(5) + head(void_element, 99)) + good),
           live_file(tracks() + cluster(opus_blocks(5) + live(timestamp, "") + opus_blocks(5))),
           live_file(tracks() + cluster(element(timestamp, noise(9)) + opus_blocks(5))),
           live_file(element(id::seek_head, element(unheard_of, "")) + good),
           live_file(element(id::seek_head,
                             element(id::seek, element(id::seek_id, "\x1F\x43\xB6\x75X"))) +
                     good),
           in_track(element(id::audio, number(id::track_number, 2))),
           in_track(element(0xE0, number(id::track_type, 1))),
           in_track(number(id::track_number, 2)),
           in_track(number(id::track_type, 1)),
           in_track(element(0x55AA, noise(9))),
           in_track(element(id::audio, element(id::sampling_frequency, noise(5)))),
       })
    EXPECT_EQ(status(bytes), state::unmeasurable);
}

// A SeekHead leads decoders to elements after the blocks.
TEST(matroska, blocks_come_behind_the_entry_of_their_track) {
  const auto other = tracks({{.number = 2}});
  for (const auto& bytes : {
           live_file(cluster(opus_blocks(5)) + tracks() + cluster(opus_blocks(5))),
           live_file(tracks() + cluster(opus_blocks(5, 2)) + cluster(opus_blocks(5))),
           live_file(tracks() + cluster(opus_blocks(5)) + other + cluster(opus_blocks(5))),
       })
    EXPECT_EQ(status(bytes), state::unmeasurable);
  EXPECT_EQ(length(live_file(tracks() + other + cluster(opus_blocks(5)) + tracks())),
            after_skip(5));
}

// The ids that it names are not a Cluster.
TEST(matroska, a_seek_head_hides_nothing) {
  const auto seek = element(0x114D9B74, element(0x4DBB, element(0x53AB, "\x1F\x43\xB6\x75") +
                                                            element(0x53AC, "\x10\x20")));
  EXPECT_EQ(length(live_file(seek + tracks() + cluster(opus_blocks(5)))), after_skip(5));
}

TEST(matroska, what_is_broken_is_passed_over_up_to_the_next_cluster) {
  const auto good = cluster(opus_blocks(5));
  EXPECT_EQ(length(live_file(tracks() + good + std::string(5, '\0') + noise(50) + good)),
            after_skip(10));
  // After the end of a Segment.
  EXPECT_EQ(length(file(tracks() + good) + "TAG" + noise(50) + good), after_skip(10));
}

TEST(matroska, deep_nesting_makes_it_unmeasurable) {
  const auto nested = [](int times) {
    constexpr std::uint32_t simple_tag = 0x67C8, tag = 0x7373;
    std::string content;
    for (int i = 0; i < times; ++i) content = element(simple_tag, content);
    return live_file(tracks() + element(id::tags, element(tag, content)) + cluster(opus_blocks(5)));
  };
  EXPECT_EQ(length(nested(3)), after_skip(5));
  EXPECT_EQ(status(nested(20)), state::unmeasurable);
}

}  // namespace
}  // namespace tollgate::routes::meters
