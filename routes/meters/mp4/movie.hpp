// Interprets the boxes of a movie (ISO/IEC 14496-12). mp4.cpp walks through them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "routes/meters/duration.hpp"
#include "routes/meters/mp4/box_path.hpp"
#include "routes/meters/mp4/track.hpp"

namespace tollgate::routes::meters::mp4 {

// How to read the content of a box after its own head.
struct layout {
  enum class kind : std::uint8_t { of_no_interest, boxes, table } is = kind::of_no_interest;
  std::uint64_t head = 0;
  std::uint64_t entries = 0;  // of a table
  std::size_t entry_size = 0;
};

inline constexpr layout skipped{};

class movie {
 public:
  // No box needs more of its content in one piece.
  static constexpr std::size_t longest_head = sample_description::longest_config;

  // How much of the content read() needs, if there is as much.
  static std::size_t head_size(fourcc type, fourcc parent);
  layout read(const box& opened, const box_path& path, std::string_view head);
  // Reads one entry of the table that the last read() found.
  void read_entry(std::string_view entry);
  // All boxes before `position` have been read.
  void pass(std::uint64_t position);

  // Two readers could read it as two different movies, or no ordinary encoder writes it.
  bool is_unclear() const;
  // Of the index, in bytes.
  std::size_t memory() const;
  bool has_audio() const { return first_audio() != nullptr; }
  std::string_view codec() const;

  // Reads the samples in a piece of the file whose boxes have been read.
  void read_samples(std::uint64_t position, std::string_view piece);
  void finish_samples();
  // Some samples came before their description.
  bool missed_some() const;
  void begin_again();

  // The longest audio track: by the samples read; and by the index, for a file of this many bytes.
  duration longest() const;
  duration longest_claimed(std::uint64_t bytes) const;

 private:
  using reader = layout (movie::*)(const box&, const box_path&, std::string_view head);
  struct known_box {
    fourcc type;
    std::size_t head_size;
    reader read;
  };
  static const std::array<known_box, 24> known_boxes;
  static const known_box* find_box(fourcc type);

  layout open_movie(const box& moov, const box_path&, std::string_view);
  layout open_track(const box&, const box_path&, std::string_view);
  layout open_fragment(const box& moof, const box_path&, std::string_view);
  layout open_track_fragment(const box&, const box_path&, std::string_view);
  layout open_descriptions(const box&, const box_path&, std::string_view head);
  layout open_description(fourcc format, std::string_view head);
  layout open_metadata(const box&, const box_path&, std::string_view head);
  layout look_into_free_space(const box&, const box_path&, std::string_view head);

  layout read_mvhd(const box&, const box_path&, std::string_view head);
  layout read_tkhd(const box&, const box_path&, std::string_view head);
  layout read_mdhd(const box&, const box_path&, std::string_view head);
  layout read_hdlr(const box&, const box_path& path, std::string_view head);
  layout read_config(const box&, const box_path&, std::string_view head);
  layout read_elst(const box&, const box_path&, std::string_view head);
  layout read_stts(const box&, const box_path&, std::string_view head);
  layout read_ctts(const box&, const box_path&, std::string_view head);
  layout read_stsc(const box&, const box_path&, std::string_view head);
  layout read_stsz(const box&, const box_path&, std::string_view head);
  layout read_stz2(const box&, const box_path&, std::string_view head);
  layout read_stco(const box&, const box_path&, std::string_view head);
  layout read_trex(const box&, const box_path&, std::string_view head);
  layout read_tfhd(const box&, const box_path&, std::string_view head);
  layout read_trun(const box&, const box_path&, std::string_view head);

  using entry_reader = void (movie::*)(std::string_view entry);
  layout table_of(entry_reader read, std::uint64_t head, std::uint64_t entries, std::size_t size);
  template <std::size_t Width>
  void read_edit(std::string_view entry);
  void read_duration_run(std::string_view entry);
  void read_chunk_run(std::string_view entry);
  void read_size(std::string_view entry);
  void read_two_sizes(std::string_view entry);
  void read_chunk(std::string_view entry);
  void read_run_sample(std::string_view entry);
  void add_run_samples(std::uint32_t count, const sample_defaults& each);

  enum class tables : std::uint8_t { keep, skip, refuse };
  tables tables_of_track() const;
  layout sample_table(entry_reader read, std::uint64_t head, std::uint64_t entries,
                      std::size_t size);

  void close_track();
  const track* first_audio() const;
  const sample_defaults* defaults_of(std::uint32_t track_id) const;
  layout refuse() {
    unclear_ = true;
    return {};
  }

  // Limits on the tracks kept and on the tracks begun. The index of a two-hour file has some
  // 350,000 samples; no more entries than this are kept. An entry takes eight bytes, and a growing
  // table may have room for twice as many.
  static constexpr std::size_t entry_bytes = 2 * 8;
  static constexpr std::size_t most_audio_tracks = 8, most_tracks = 64, most_entries = 1 << 20;
  std::vector<std::unique_ptr<track>> tracks_;  // all but the last are audio
  std::size_t tracks_begun_ = 0, kept_entries_ = 0;
  std::uint64_t movie_end_ = 0;  // 0: none yet
  std::uint64_t read_from_ = 0;  // samples before this position have passed
  std::optional<std::uint32_t> timescale_;
  unsigned stsd_version_ = 0;
  std::uint64_t sizes_left_ = 0;  // of stz2, whose last byte may contain only one
  bool unclear_ = false, movie_is_read_ = false;
  entry_reader read_entry_ = nullptr;

  // `mvex` may come before the tracks, so its defaults are kept here.
  struct extends {
    std::uint32_t track_id;
    sample_defaults defaults;
  };
  std::vector<extends> extends_;

  // The current fragment.
  std::uint64_t moof_begin_ = 0, fragment_base_ = 0, run_offset_ = 0;
  bool has_fragment_head_ = false;
  track* fragment_of_ = nullptr;
  sample_defaults fragment_defaults_;
  std::uint32_t run_flags_ = 0;
};

}  // namespace tollgate::routes::meters::mp4
