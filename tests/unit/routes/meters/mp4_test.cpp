#include "routes/meters/mp4.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/routes/meters/movies.hpp"

namespace tollgate::routes::meters {
namespace {

struct answer {
  state is;
  duration measured;
  std::string container, codec;
  bool operator==(const answer&) const = default;
};
std::ostream& operator<<(std::ostream& out, const answer& a) {
  return out << static_cast<int>(a.is) << " "
             << static_cast<double>(a.measured.flicks()) / duration::flicks_per_second << " s "
             << a.container << " " << a.codec;
}

template <class NextPiece>
answer measure_in_pieces(std::string_view file, NextPiece next_piece) {
  const auto meter = make_mp4_meter();
  const auto write = [&](std::string_view rest) {
    while (!rest.empty()) {
      const auto piece = rest.substr(0, next_piece());
      meter->write(piece);
      rest.remove_prefix(piece.size());
    }
    meter->finish();
  };
  write(file);
  if (meter->wants_second_reading()) {
    meter->begin_second_reading();
    write(file);
    EXPECT_FALSE(meter->wants_second_reading());
  }
  return {meter->status(), meter->measured(), std::string{meter->container()},
          std::string{meter->codec()}};
}

answer measure(std::string_view file) {
  const auto whole = measure_in_pieces(file, [&] { return file.size(); });
  EXPECT_EQ(measure_in_pieces(file, [] { return 1; }), whole);
  for (unsigned seed = 1; seed <= 5; ++seed) {
    std::mt19937 random{seed};
    EXPECT_EQ(measure_in_pieces(file, [&] { return 1 + random() % (seed * seed * 40); }), whole)
        << "seed " << seed;
  }
  return whole;
}
duration length(std::string_view file) {
  return measure(file).measured;
}
duration samples(std::uint64_t n, std::uint64_t rate = 48000) {
  return duration::of_samples(n, rate);
}

TEST(mp4, counts_the_samples_wherever_the_index_stands) {
  const auto m = movie::of(100, 1024, 50);
  EXPECT_EQ(measure(index_last(m)), (answer{state::measuring, samples(102'400), "mp4", "aac"}));
  EXPECT_EQ(length(index_first(m)), samples(102'400));
  auto wide = m;
  wide.wide_offsets = true;
  EXPECT_EQ(length(index_first(wide)), samples(102'400));
  EXPECT_EQ(length(ftyp + large_box("mdat", m.data()) + m.moov(ftyp.size() + 16)),
            samples(102'400));
  EXPECT_EQ(length(ftyp + m.moov(ftyp.size() + m.moov(0).size() + 8) + u32(0) + "mdat" + m.data()),
            samples(102'400));
  EXPECT_EQ(length(box("wide", "") + box("mdat", m.data()) + box("skip", "abc") + m.moov(16)),
            samples(102'400));
}

TEST(mp4, counts_the_last_sample_whole_as_decoders_do) {
  auto m = movie::of(100, 1024, 50);
  m.durations = {{99, 1024}, {1, 100}};
  EXPECT_EQ(length(index_last(m)), samples(100 * 1024));
}

TEST(mp4, wants_to_be_read_twice_where_the_index_is_last) {
  const auto m = movie::of(100, 1024, 50);
  const auto read = [](const std::string& file) {
    auto meter = make_mp4_meter();
    meter->write(file);
    meter->finish();
    return meter;
  };
  EXPECT_FALSE(read(index_first(m))->wants_second_reading());
  const auto last = read(index_last(m));
  EXPECT_TRUE(last->wants_second_reading());
  EXPECT_EQ(last->measured(), samples(100 * 1024));  // according to the index
  last->begin_second_reading();
  EXPECT_EQ(last->measured(), duration{});
  last->write(std::string_view{index_last(m)}.substr(0, ftyp.size() + 8 + 500));
  EXPECT_EQ(last->measured(), samples(10 * 1024));
}

// In small pieces, the fragment arrives after all samples have passed.
TEST(mp4, a_fragment_that_was_not_announced_takes_no_index_away) {
  const auto file = index_last(movie::of(100, 1024, 50)) + box("moof", full_box("mfhd", 0, u32(1)));
  EXPECT_EQ(measure(file), (answer{state::measuring, samples(102'400), "mp4", "aac"}));
}

TEST(mp4, knows_as_soon_as_its_index_has_come_that_samples_went_by) {
  const auto m = movie::of(100, 1024, 50);
  const auto file = index_last(m);
  const auto meter = make_mp4_meter();
  meter->write(std::string_view{file}.substr(0, file.size() - 1));
  EXPECT_FALSE(meter->has_missed_some());
  meter->write(std::string_view{file}.substr(file.size() - 1));
  EXPECT_TRUE(meter->has_missed_some());  // even though nothing follows, and it has not ended
  EXPECT_FALSE(meter->wants_second_reading());
  meter->write(box("free", zeros(8)));
  EXPECT_TRUE(meter->has_missed_some());
  meter->finish();
  EXPECT_TRUE(meter->wants_second_reading());
  meter->begin_second_reading();
  EXPECT_FALSE(meter->has_missed_some());
  const auto first = make_mp4_meter();
  first->write(index_first(m));
  EXPECT_FALSE(first->has_missed_some());
}

TEST(mp4, says_what_has_come_before_the_end) {
  const auto m = movie::of(100, 1024, 50);
  const auto file = index_first(m);
  const auto meter = make_mp4_meter();
  meter->write(std::string_view{file}.substr(0, 6));
  EXPECT_EQ(meter->status(), state::undecided);
  meter->write(std::string_view{file}.substr(6, file.size() - 2506));
  EXPECT_EQ(meter->status(), state::measuring);
  EXPECT_EQ(meter->measured(), samples(50 * 1024));
}

TEST(mp4, takes_the_edit_list_off) {
  auto m = movie::of(100, 1024, 50);
  // Whole access units: the 95th extends beyond the end.
  EXPECT_EQ(length(index_last(m.edit(2000, 1024))), samples(94 * 1024));
  EXPECT_EQ(length(index_last(m.edit(9000, 1000))), samples(100 * 1024 - 1000));
  EXPECT_EQ(length(index_last(m.edit(0, 1024))), samples(99 * 1024));
  EXPECT_EQ(length(index_last(m.edit(9000, 1024))), samples(99 * 1024));
  EXPECT_EQ(length(index_last(m.edit(500, -1))), samples(100 * 1024));
  EXPECT_EQ(length(index_last(m.edit(500, 2'000'000))), duration{});
}

TEST(mp4, counts_the_longest_audio_track) {
  const auto m = movie::of(10, 1024, 50), longer = movie::of(30, 1024, 10);
  auto video = movie::of(90, 4800, 10);
  video.handler_type = "vide";
  const auto offset = ftyp.size() + 8;
  const auto data = ftyp + box("mdat", std::string(5000, 'x'));
  EXPECT_EQ(length(data + m.moov(offset, longer.track(offset, 2) + video.track(offset, 3))),
            samples(30 * 1024));
  EXPECT_EQ(length(data + longer.moov(offset, video.track(offset, 2) + m.track(offset, 3))),
            samples(30 * 1024));
  EXPECT_EQ(measure(data + video.moov(offset)).is, state::unmeasurable);
  // A player uses the codec if it does not know the handler.
  auto odd = m;
  odd.handler_type = "odd ";
  EXPECT_EQ(length(data + odd.moov(offset)), samples(10 * 1024));
}

TEST(mp4, is_worth_what_has_come) {
  auto m = movie::of(0, 0, 0);
  std::mt19937 random{7};
  m.durations = {{400, 1024}};
  for (int i = 0; i < 400; ++i) m.sizes.push_back(100 + random() % 300);
  m.chunk_runs = {{1, 30}, {4, 31}};
  std::uint64_t at = 0, chunk = 0;
  m.chunks.clear();
  for (std::size_t i = 0; i < 400; at += m.sizes[i++])
    if (i == chunk) {
      m.chunks.push_back(at);
      chunk += m.chunks.size() < 4 ? 30 : 31;
    }
  const auto file = index_first(m);
  const auto begin = file.size() - m.data().size();
  EXPECT_EQ(length(file), samples(400 * 1024));
  at = 0;
  for (std::size_t i = 0; i < 400; at += m.sizes[i++]) {
    if (i % 37 != 0) continue;
    EXPECT_EQ(length(std::string_view{file}.substr(0, begin + at)), samples(i * 1024)) << i;
    EXPECT_EQ(length(std::string_view{file}.substr(0, begin + at + 99)), samples((i + 1) * 1024))
        << i;
  }
  const auto last = index_last(m);
  EXPECT_EQ(length(std::string_view{last}.substr(0, last.size() / 2)), duration{});
}

TEST(mp4, is_worth_what_has_come_of_interleaved_chunks) {
  auto m = movie::of(100, 1024, 50);
  m.chunk_runs = {{1, 1}};
  m.chunks.clear();
  for (std::uint64_t i = 0; i < 100; ++i) m.chunks.push_back(i * 1050);
  const auto moov = m.moov(ftyp.size() + m.moov(0).size() + 8);
  const auto head = ftyp + moov + u32(0) + "mdat";
  EXPECT_EQ(length(head + std::string(105'000, 'x')), samples(100 * 1024));
  EXPECT_EQ(length(head + std::string(50 * 1050, 'x')), samples(50 * 1024));
  EXPECT_EQ(length(head + std::string(50 * 1050 + 1, 'x')), samples(51 * 1024));
}

TEST(mp4, is_exact_in_long_tables) {
  auto m = movie::of(0, 0, 0);
  constexpr std::uint32_t count = 100'000;
  std::mt19937 random{3};
  m.durations = {{count, 1024}};
  m.chunk_runs = {{1, count}};
  for (std::uint32_t i = 0; i < count; ++i) m.sizes.push_back(1 + random() % 9);
  const auto file = index_first(m);
  const auto all = samples(std::uint64_t{count} * 1024);
  const auto measure_first = [&](std::size_t bytes) {
    return measure_in_pieces(std::string_view{file}.substr(0, bytes), [] { return 65'536; })
        .measured;
  };
  EXPECT_EQ(measure_first(file.size()), all);
  std::uint64_t at = file.size() - m.data().size();
  for (std::uint32_t i = 0; i < count; at += m.sizes[i++]) {
    if (i % 9'973 != 0) continue;
    EXPECT_EQ(measure_first(at), samples(std::uint64_t{i} * 1024)) << i;
  }
}

// --- A caller who pays by the second may lie

TEST(mp4, does_not_ask_how_long_samples_are_said_to_be) {
  auto m = movie::of(100, 2, 50);
  EXPECT_EQ(length(index_last(m)), samples(100 * 1024));
  m.durations = {{100, 4'000'000}};
  EXPECT_EQ(length(index_last(m)), samples(100 * 1024));
  m.durations.clear();
  EXPECT_EQ(length(index_last(m)), samples(100 * 1024));
  m.entry = audio_entry("mp4a", 2, 48000, aac_config(3, 1));
  EXPECT_EQ(length(index_last(m)), samples(100 * 960));
}

TEST(mp4, counts_the_blocks_in_a_sample) {
  const std::string block{"\0\0\0\7", 4};
  auto m = movie::of(10, 1024, 32);
  const auto moov = m.moov(ftyp.size() + m.moov(0).size() + 8);
  std::string content;
  for (int i = 0; i < 80; ++i) content += block;
  EXPECT_EQ(length(ftyp + moov + box("mdat", content)), samples(80 * 1024));
  EXPECT_EQ(length(ftyp + box("mdat", content) + m.moov(ftyp.size() + 8)), samples(80 * 1024));
}

TEST(mp4, counts_each_codec_by_its_own_bytes) {
  const auto measure_entry = [](const std::string& written, std::uint32_t n,
                                const std::string& sample) {
    auto m = movie::of(n, 7, static_cast<std::uint32_t>(sample.size()));
    m.entry = written;
    std::string content;
    for (std::uint32_t i = 0; i < n; ++i) content += sample;
    return measure(ftyp + box("mdat", content) + m.moov(ftyp.size() + 8));
  };
  const auto alac_info = full_box("alac", 0, u32(4096) + zeros(16) + u32(44100));
  const std::string whole{"\x20\0\0\0\0\0\0\0", 8};
  EXPECT_EQ(measure_entry(audio_entry("alac", 2, 44100, alac_info), 10, whole),
            (answer{state::measuring, samples(40'960, 44100), "mp4", "alac"}));
  const std::string part{"\x20\0\x10\0\0\0\xC8\0", 8};  // of 100 samples
  EXPECT_EQ(measure_entry(audio_entry("alac", 2, 44100, alac_info), 10, part).measured,
            samples(1000, 44100));
  // 120 ms: three frames of 40 ms.
  EXPECT_EQ(measure_entry(audio_entry("Opus", 2, 48000), 11, "\x13\x03....").measured,
            samples(std::uint64_t{11} * 5760));
  const std::string amr{"\x04............\x04............", 26};  // two frames
  EXPECT_EQ(measure_entry(audio_entry("samr", 1, 8000), 10, amr).measured, samples(3200, 8000));
  EXPECT_EQ(measure_entry(audio_entry("samr", 1, 8000), 10, amr.substr(0, 20)).is,
            state::unmeasurable);
  std::string ac3{"\x0B\x77..\x08\x40", 6};  // 48 kHz, 64 kbit/s
  ac3.resize(256, '.');
  EXPECT_EQ(measure_entry(audio_entry("ac-3", 2, 48000), 10, ac3 + ac3).measured,
            samples(std::uint64_t{20} * 1536));
  EXPECT_EQ(measure_entry(audio_entry("ac-3", 2, 48000), 10, "junk" + ac3).is, state::unmeasurable);
  EXPECT_EQ(measure_entry(audio_entry("????", 2, 48000), 10, whole).is, state::unmeasurable);
}

TEST(mp4, counts_pcm_by_its_size) {
  auto m = movie::of(0, 0, 0);
  m.entry = audio_entry("sowt", 2, 48000);
  m.size_of_all = 1;  // as QuickTime writes it, for any size
  m.sizes.assign(4, 1);
  m.durations = {{1, 1}};
  m.chunk_runs = {{1, 1000}};
  m.chunks = {0, 4000, 8000};
  const auto moov = m.moov(ftyp.size() + m.moov(0).size() + 8);
  EXPECT_EQ(measure(ftyp + moov + box("mdat", std::string(12'000, 'x'))),
            (answer{state::measuring, samples(3000), "mp4", "pcm_s16le"}));
  EXPECT_EQ(length(ftyp + moov + u32(12'008) + "mdat" + std::string(5'999, 'x')), samples(1499));
}

TEST(mp4, does_not_take_two_readings) {
  auto m = movie::of(10, 1024, 50);
  const auto unmeasurable = [](const movie& odd) {
    return measure(index_last(odd)).is == state::unmeasurable;
  };
  EXPECT_FALSE(unmeasurable(m));
  auto twice = m;
  twice.more_tables = table("stts", {u32(10) + u32(1)});
  EXPECT_TRUE(unmeasurable(twice));
  auto overrun = m;
  overrun.more_tables = box("free", "") + full_box("stss", 0, u32(0));
  EXPECT_FALSE(unmeasurable(overrun));
  auto file = index_last(m);
  file.replace(file.find("stsz") + 12, 4, u32(11));
  EXPECT_EQ(measure(file).is, state::unmeasurable);
  for (const auto& runs : std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>>{
           {{2, 10}}, {{1, 0}}, {{1, 5}, {1, 10}}}) {
    auto odd = m;
    odd.chunk_runs = runs;
    EXPECT_TRUE(unmeasurable(odd));
  }
  const auto with = [&m](auto change) {
    auto odd = m;
    change(odd);
    return odd;
  };
  for (const std::uint32_t scale : {0U, 0x80000000U, 4'000'000'000U}) {
    EXPECT_TRUE(unmeasurable(with([&](movie& odd) { odd.timescale = scale; })));
    EXPECT_TRUE(unmeasurable(with([&](movie& odd) { odd.movie_timescale = scale; })));
  }
  EXPECT_TRUE(unmeasurable(with([](movie& odd) { odd.durations = {{10, 1}}; })));  // as for PCM
  EXPECT_TRUE(unmeasurable(with([](movie& odd) {
    odd.chunk_runs = {{1, 5}};
    odd.chunks = {0, 0};  // overlapping
  })));
  EXPECT_TRUE(unmeasurable(with([](movie& odd) {
    odd.edits =
        box("edts",
            table("elst", {u32(200) + u32(0) + u32(0x10000), u32(200) + u32(0) + u32(0x10000)}));
  })));
  const auto file_of = [&m](const std::string& more) {
    return ftyp + box("mdat", m.data()) + m.moov(ftyp.size() + 8, more);
  };
  EXPECT_EQ(measure(file_of("")).is, state::measuring);
  for (const auto& misplaced : {m.header(), table("elst", {zeros(12)}), box("udta", m.track(8)),
                                box("cmov", "packed"), table("stts", {u32(1) + u32(1)})})
    EXPECT_EQ(measure(file_of(misplaced)).is, state::unmeasurable);
  EXPECT_EQ(measure(index_last(m) + m.moov(8)).is, state::unmeasurable);
  std::string tracks;
  for (unsigned id = 2; id < 10; ++id) tracks += m.track(0, id);
  EXPECT_EQ(measure(ftyp + m.moov(0, tracks)).is, state::unmeasurable);
}

TEST(mp4, does_not_take_an_index_in_free_space) {
  auto m = movie::of(10, 1024, 50);
  const auto data = ftyp + box("mdat", m.data());
  EXPECT_EQ(measure(data + box("free", m.moov(ftyp.size() + 8))).is, state::unmeasurable);
  EXPECT_EQ(measure(data + box("free", m.header() + m.track(8))).is, state::unmeasurable);
}

// --- Fragments

struct fragment {
  std::uint32_t track_flags = 0x20000, run_flags = 0x301;
  std::string defaults;
  std::vector<std::uint32_t> sizes;
  std::uint32_t ticks = 1024, id = 1;
  std::uint32_t offset = 0;

  std::string moof() const {
    std::string run = u32(sizes.size());
    if ((run_flags & 1) != 0) run += u32(offset);
    for (const auto each : sizes) {
      if ((run_flags & 0x100) != 0) run += u32(ticks);
      if ((run_flags & 0x200) != 0) run += u32(each);
    }
    return box("moof",
               full_box("mfhd", 0, u32(1)) +
                   box("traf", full_box("tfhd", track_flags, u32(id) + defaults) +
                                   full_box("tfdt", 0, u32(0)) + full_box("trun", run_flags, run)));
  }
  std::string with_data() const {
    auto placed = *this;
    placed.offset = static_cast<std::uint32_t>(moof().size() + 8);
    std::uint64_t total = 0;
    for (const auto each : sizes) total += each;
    return placed.moof() + box("mdat", std::string(total, 'x'));
  }
};

std::string fragmented_head(std::uint32_t ticks = 0, std::uint32_t size = 0) {
  movie m;
  m.edit(500, 0);
  return ftyp + m.moov(0, box("mvex", full_box("trex", 0,
                                               u32(1) + u32(1) + u32(ticks) + u32(size) + u32(0))));
}

TEST(mp4, counts_fragments) {
  fragment f;
  f.sizes.assign(20, 50);
  EXPECT_EQ(length(fragmented_head() + f.with_data() + f.with_data()), samples(40 * 1024));
  f.ticks = 1;
  EXPECT_EQ(length(fragmented_head() + f.with_data() + f.with_data()), samples(40 * 1024));
  f.id = 2;  // the movie does not say that this track continues
  EXPECT_EQ(measure(fragmented_head() + f.with_data()).is, state::unmeasurable);
}

TEST(mp4, takes_the_defaults_of_fragments) {
  fragment f;
  f.sizes.assign(20, 50);
  f.run_flags = 0x201;
  EXPECT_EQ(length(fragmented_head(1024) + f.with_data()), samples(20 * 1024));
  f.track_flags = 0x20008;
  f.defaults = u32(1000);
  EXPECT_EQ(length(fragmented_head(512) + f.with_data()), samples(20 * 1024));
  f.defaults = u32(1023);
  f.run_flags = 1;
  EXPECT_EQ(length(fragmented_head(512, 50) + f.with_data()), samples(20 * 1024));
  f.track_flags = 0x20018;
  f.defaults = u32(1024) + u32(50);
  EXPECT_EQ(length(fragmented_head() + f.with_data()), samples(20 * 1024));
}

TEST(mp4, counts_what_has_come_of_a_fragment) {
  fragment f;
  f.sizes.assign(20, 50);
  const auto file = fragmented_head() + f.with_data() + f.with_data();
  EXPECT_EQ(length(std::string_view{file}.substr(0, file.size() - 500)), samples(30 * 1024));
  EXPECT_EQ(length(std::string_view{file}.substr(0, file.size() - 501)), samples(30 * 1024));
  EXPECT_EQ(length(std::string_view{file}.substr(0, file.size() - 550)), samples(29 * 1024));
}

TEST(mp4, counts_fragments_whose_data_comes_at_the_end) {
  fragment f;
  f.sizes.assign(20, 50);
  const auto head = fragmented_head();
  f.offset = static_cast<std::uint32_t>(2 * f.moof().size() + 8);
  auto second = f;
  second.offset = static_cast<std::uint32_t>(f.moof().size() + 8 + 1000);
  const auto file = head + f.moof() + second.moof() + box("mdat", std::string(2000, 'x'));
  EXPECT_EQ(length(file), samples(40 * 1024));
  EXPECT_EQ(length(std::string_view{file}.substr(0, file.size() - 500)), samples(30 * 1024));
}

// Decoders read them from the bytes after the box.
TEST(mp4, fields_that_are_not_in_their_box_cannot_be_measured) {
  fragment f;
  f.sizes.assign(20, 50);
  const auto file = fragmented_head() + f.with_data() + f.with_data();
  ASSERT_EQ(measure(file).is, state::measuring);
  for (const auto* type : {"trun", "tfhd", "trex", "mdhd", "tkhd", "stsd"})
    for (const std::uint64_t size : {8, 12}) {
      auto shorter = file;
      shorter.replace(file.rfind(type) - 4, 4, u32(size));
      EXPECT_EQ(measure(shorter).is, state::unmeasurable) << type << ' ' << size;
    }
}

// --- Bytes that no encoder writes

TEST(mp4, survives_anything) {
  const auto m = movie::of(10, 1024, 50);
  const auto file = index_first(m);
  std::mt19937 random{5};
  for (int i = 0; i < 300; ++i) {
    auto broken = file;
    for (int n = 0; n < 4; ++n)
      broken[random() % (file.size() - 500)] = static_cast<char>(random());
    measure(broken);
  }
  EXPECT_EQ(measure("").is, state::unmeasurable);
  EXPECT_EQ(measure("RIFF....WAVE").is, state::unmeasurable);
  EXPECT_EQ(measure(ftyp + u32(0) + "moov" + u32(3) + "trak").is, state::unmeasurable);
  EXPECT_EQ(measure(ftyp + u32(1) + "moov" + be(~0ULL, 8) + u32(1) + "trak" + be(~0ULL, 8)).is,
            state::unmeasurable);
}

}  // namespace
}  // namespace tollgate::routes::meters
