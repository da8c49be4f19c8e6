#include "routes/meters/ogg.hpp"

#include "routes/meters/opus.hpp"
#include "tests/unit/routes/meters/flac_frames.hpp"
#include "tests/unit/routes/meters/ogg_pages.hpp"

namespace tollgate::routes::meters {
namespace {

constexpr std::int64_t frame = 960;  // 20 ms

duration samples(std::int64_t n) {
  return opus_packets::of_samples(n);
}
duration length(std::string_view bytes) {
  return measure(make_ogg_meter, bytes).length;
}

// The played part of `packets` of 20 ms from their beginning.
duration after_skip(std::int64_t packets) {
  return samples(packets * frame - 312);
}

TEST(ogg, says_what_it_is) {
  EXPECT_EQ(measure(make_ogg_meter, opus_headers() + opus_page(50, 50 * frame)),
            (answer{state::measuring, after_skip(50), "ogg", "opus"}));
}

TEST(ogg, what_is_no_audio_cannot_be_measured) {
  const auto video = ogg_page_of({.flags = first_page}, {"\x80theora" + noise(35)});
  for (const auto& bytes : {std::string{}, std::string{"Ogg"}, noise(70'000), video})
    EXPECT_EQ(measure(make_ogg_meter, bytes).status, state::unmeasurable);
}

TEST(ogg, opus_packets_by_their_first_bytes) {
  struct row {
    std::string toc;
    std::int64_t samples;
  };
  for (const auto& [toc, expected] : std::initializer_list<row>{{"\x08", 960},
                                                                {{"\0", 1}, 480},
                                                                {"\x18", 2880},
                                                                {"\x60", 480},
                                                                {"\x80", 120},
                                                                {"\xF8", 960},
                                                                {"\xF9", 1920},
                                                                {"\xFA", 1920},
                                                                {"\xFB\x03", 2880},
                                                                {"\xFB\x86", 5760},
                                                                {"\x1B\x02", 5760},
                                                                {{"\xFB\0", 2}, 0},
                                                                {"\xFB\x07", 0},
                                                                {"\x1B\x03", 0},
                                                                {"\x83\x30", 5760}})
    EXPECT_EQ(length(opus_headers(1, 0) + ogg_page_of({}, {opus_packet(30, toc)})),
              samples(expected));
  EXPECT_EQ(length(opus_headers(1, 0) + ogg_page_of({}, {"", opus_packet(), "\xFB", "\x78"})),
            samples(2 * frame));
}

TEST(ogg, granule_positions_do_not_make_it_shorter_or_longer) {
  for (const std::int64_t claim : {0LL, 1LL, -1LL, 960LL, 1LL << 40, (1LL << 62)}) {
    auto bytes = opus_headers();
    for (int page = 0; page < 4; ++page) bytes += opus_page(50, claim);
    EXPECT_EQ(length(bytes), after_skip(200)) << claim;
  }
}

TEST(ogg, the_last_page_may_take_off_its_end) {
  const auto begin = opus_headers() + opus_page(50, 50 * frame);
  const auto ended_at = [&](std::int64_t granule) {
    return length(begin + opus_page(10, granule, last_page));
  };
  EXPECT_EQ(ended_at(60 * frame), after_skip(60));
  EXPECT_EQ(ended_at(60 * frame + 5), after_skip(60));
  EXPECT_EQ(ended_at(60 * frame - 500), samples(60 * frame - 500 - 312));
  EXPECT_EQ(ended_at(50 * frame), after_skip(50));
  EXPECT_EQ(ended_at(0), after_skip(50));
  EXPECT_EQ(ended_at(-1), after_skip(60));
  // Not if more follows.
  EXPECT_EQ(length(begin + opus_page(10, 0, last_page) + opus_page(1, 0)), after_skip(61));
}

TEST(ogg, live_streams_begin_anywhere) {
  EXPECT_EQ(length(opus_headers() + opus_page(50, 1'000'000) +
                   opus_page(10, 1'000'000 + 10 * frame - 400, last_page)),
            samples(60 * frame - 400 - 312));
}

TEST(ogg, a_page_counts_when_it_is_whole) {
  const auto begin = opus_headers() + opus_page(50, 50 * frame);
  const auto last = opus_page(10, 60 * frame);
  EXPECT_EQ(length(begin + last.substr(0, last.size() - 1)), after_skip(50));
  EXPECT_EQ(length(begin + last), after_skip(60));
}

TEST(ogg, packets_across_pages) {
  const auto large = opus_packet(700);
  const auto bytes =
      opus_headers() +
      ogg_page_of({.last_packet_goes_on = true}, {opus_packet(), large.substr(0, 255)}) +
      ogg_page_of({.flags = continued, .granule = -1, .last_packet_goes_on = true},
                  {large.substr(255, 255)}) +
      ogg_page_of({.flags = continued}, {large.substr(510), opus_packet()});
  EXPECT_EQ(length(bytes), after_skip(3));
  // A stream whose beginning is missing.
  EXPECT_EQ(length(opus_headers() +
                   ogg_page_of({.flags = continued}, {large.substr(510), opus_packet()})),
            after_skip(1));
}

TEST(ogg, garbage_between_pages) {
  const auto page = opus_page(50, 0);
  EXPECT_EQ(length(noise(999) + opus_headers() + "OggOggOgg" + page + "OggSOggS\1" + page + "Ogg"),
            after_skip(100));
}

TEST(ogg, links_of_a_chain_add_up) {
  const auto link = [](std::uint32_t serial) {
    return opus_headers(serial) + opus_page(50, 50 * frame, 0, serial) +
           opus_page(10, 60 * frame - 500, last_page, serial);
  };
  const auto one = samples(60 * frame - 500 - 312);
  EXPECT_EQ(length(link(1) + link(2) + link(3)), one + one + one);
  // Decoders do not notice that it has begun again, and play what they should skip.
  EXPECT_EQ(length(link(1) + link(1)), one + one + samples(312));
  std::string many;
  for (std::uint32_t serial = 0; serial < 100; ++serial) many += link(serial);
  EXPECT_EQ(length(many), duration::from_flicks(100 * one.flicks()));
}

TEST(ogg, streams_at_once_count_by_the_longest) {
  const auto head = [](std::uint32_t serial) {
    return ogg_page_of({.serial = serial, .flags = first_page}, {opus_head()});
  };
  EXPECT_EQ(length(head(1) + head(2) + opus_page(5, 0, 0, 1) + opus_page(50, 0, 0, 2) +
                   opus_page(5, 0, 0, 1)),
            after_skip(50));
  // A stream that continues when another begins is still counted.
  EXPECT_EQ(length(head(1) + opus_page(5, 0, 0, 1) + head(2) + opus_page(50, 0, 0, 1)),
            after_skip(55));
}

TEST(ogg, streams_that_are_not_audio_do_not_count) {
  const auto video = ogg_page_of({.serial = 9, .flags = first_page}, {"\x80theora" + noise(35)});
  const auto frames = ogg_page_of({.serial = 9}, std::vector<std::string>(100, noise(600)));
  EXPECT_EQ(length(video + opus_headers() + frames + opus_page(50, 0) + frames), after_skip(50));
}

// ffmpeg plays them.
TEST(ogg, audio_that_is_not_known_makes_it_unmeasurable) {
  for (const auto* name : {"\x01"
                           "audio\0\0",
                           "CELT    ", "\x01vorbis", "Speex   ", "OpusHead", "fLaC"})
    for (const int flags : {int{first_page}, 1}) {
      const auto other = ogg_page_of({.serial = 9, .flags = flags}, {name + noise(50)});
      EXPECT_EQ(measure(make_ogg_meter, opus_headers() + other + opus_page(50, 0)).status,
                state::unmeasurable)
          << name;
    }
}

// The position of the name on a page decides, not how much of the page is available.
TEST(ogg, the_first_page_of_an_unknown_stream_is_looked_at_alike_in_any_pieces) {
  for (const std::size_t at : {0U, 90U, 700U, 990U, 1020U, 5000U})
    for (const int flags : {0, int{first_page}, int{continued}}) {
      const auto other =
          ogg_page_of({.serial = 9, .flags = flags}, {noise(at) + "OpusHead" + noise(6000)});
      const auto found = measure(make_ogg_meter, opus_headers() + other + opus_page(50, 0));
      EXPECT_EQ(found.status, at < 990 ? state::unmeasurable : state::measuring) << at;
    }
}

TEST(ogg, more_streams_than_can_be_watched_cannot_be_measured) {
  std::string bytes;
  for (std::uint32_t serial = 0; serial < 65; ++serial)
    bytes += ogg_page_of({.serial = serial, .flags = first_page}, {opus_head()});
  EXPECT_EQ(measure(make_ogg_meter, bytes + opus_page(50, 0)).status, state::unmeasurable);
}

// A page with a wrong checksum that claims to contain the genuine ones after it.
std::string decoy(std::uint32_t serial, std::size_t hidden) {
  std::string lacing(hidden / 255, '\xFF');
  return std::string{"OggS\0\0", 6} + little(0, 8) + little(serial, 4) + std::string(8, 'x') +
         static_cast<char>(lacing.size()) + lacing;
}

TEST(ogg, pages_cannot_be_hidden_in_others) {
  const auto page = opus_page(50, 0);
  for (const std::uint32_t serial : {1U, 2U})
    for (std::size_t hidden = 255; hidden < 2 * page.size(); hidden += 255)
      EXPECT_GE(length(opus_headers() + decoy(serial, hidden) + page + page), after_skip(100));
  // In the lacing of an invalid header.
  const auto small = opus_page(2, 0);
  for (const std::uint32_t serial : {1U, 2U}) {
    const auto head = decoy(serial, 255 * 255);
    for (std::size_t at = 27; at < 40; ++at)
      EXPECT_GE(length(opus_headers() + repeat(head.substr(0, at) + small, 20) + noise(1100)),
                after_skip(40));
  }
}

TEST(ogg, a_genuine_page_with_another_in_it_counts_no_less) {
  auto packet = opus_packet(200);
  packet.replace(50, 30, decoy(7, 255 * 200).substr(0, 30));
  const auto page = ogg_page_of({}, std::vector<std::string>(20, packet));
  EXPECT_GE(length(opus_headers() + page + opus_page(50, 0)), after_skip(70));
}

// It cannot be known which of the two pages is genuine, and so with which codec the stream
// continues.
TEST(ogg, a_stream_that_changes_its_codec_in_another_page_cannot_be_measured) {
  const auto speex = ogg_page_of({.flags = first_page},
                                 {"Speex   " + noise(28) + little(16'000, 4) + little(1, 4) +
                                  std::string(12, '\0') + little(320, 4) + std::string(20, '\0')});
  const auto page = ogg_page_of({}, {opus_packet() + speex + opus_packet()});
  EXPECT_EQ(measure(make_ogg_meter, opus_headers() + page).status, state::unmeasurable);
  EXPECT_EQ(measure(make_ogg_meter, opus_headers() + speex + opus_page(1, 0)).status,
            state::measuring);
}

TEST(ogg, an_opening_page_with_a_wrong_checksum_is_none) {
  auto other = ogg_page_of({.flags = first_page}, {"Speex   " + noise(72)});
  other[22] ^= 1;
  EXPECT_EQ(length(opus_headers() + other + opus_page(50, 0)), after_skip(50));
  auto head = ogg_page_of({.flags = first_page}, {opus_head()});
  head[40] ^= 1;
  EXPECT_EQ(measure(make_ogg_meter, head + opus_page(50, 0)).status, state::unmeasurable);
}

TEST(ogg, flac_by_its_frames) {
  const auto head = ogg_page_of({.flags = first_page},
                                {"\x7F"
                                 "FLAC" +
                                 big(0x01000001, 4) + "fLaC" + big(34, 4) + stream_info()});
  const auto bytes = head + ogg_page_of({}, {"\x84 comments"}) +
                     ogg_page_of({}, {flac_frame(0), flac_frame(1, {}, 900)}) +
                     ogg_page_of({.flags = last_page}, {flac_frame(2) + flac_frame(3)});
  EXPECT_EQ(measure(make_ogg_meter, bytes),
            (answer{state::measuring, duration::of_samples(4 * 4096, 48'000), "ogg", "flac"}));
}

TEST(ogg, speex_by_the_number_of_packets) {
  const auto head = "Speex   " + noise(28) + little(16'000, 4) + little(1, 4) + noise(12) +
                    little(320, 4) + noise(4) + little(2, 4) + little(0, 4) + noise(8);
  const auto begin = ogg_page_of({.flags = first_page}, {head}) + ogg_page_of({}, {"comments"});
  const auto packets = std::vector<std::string>(10, noise(40));
  const auto frame = std::int64_t{640};  // two of 320 samples
  const auto at = [](std::int64_t n) {
    return duration::of_samples(static_cast<std::uint64_t>(n), 16'000);
  };
  EXPECT_EQ(length(begin + ogg_page_of({}, packets)), at(10 * frame));
  const auto ended_at = [&](std::int64_t granule) {
    return length(begin + ogg_page_of({.flags = last_page, .granule = granule}, packets));
  };
  EXPECT_EQ(ended_at(10 * frame - 100), at(10 * frame - 100));
  EXPECT_EQ(ended_at(8 * frame), at(10 * frame)) << "more than the last packet";
  // The length of a frame that is not that of the mode, and further headers.
  for (const auto& [offset, value] : {std::pair{56, 640}, {56, 160}, {40, 0}, {40, 2}, {68, 1}}) {
    auto lying = head;
    lying.replace(static_cast<std::size_t>(offset), 4,
                  little(static_cast<std::uint64_t>(value), 4));
    const auto opened = ogg_page_of({.flags = first_page}, {lying}) + ogg_page_of({}, {"comments"});
    EXPECT_EQ(measure(make_ogg_meter, opened + ogg_page_of({}, packets)).status,
              state::unmeasurable)
        << offset;
  }
}

}  // namespace
}  // namespace tollgate::routes::meters
