// The samples of a track: their durations, sizes and positions in the file (ISO/IEC 14496-12, 8.6
// to 8.8). Stored as runs, like the tables: memory grows with the bytes received, not with a number
// in them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "routes/meters/mp4/runs.hpp"

namespace tollgate::routes::meters::mp4 {

// Samples that are read as one: an access unit, or a whole chunk if the codec's bytes tell how many
// samples it has (PCM).
struct extent {
  std::uint64_t offset = 0, bytes = 0;
  std::uint64_t first_tick = 0, ticks = 0;
};

// PCM and similar in QuickTime: if every sample lasts one tick, the format determines the size of a
// chunk's samples, whatever the size table says.
struct packing {
  std::uint64_t samples = 1, bytes = 0;  // of the smallest piece
};

class sample_index {
 public:
  void add_durations(std::uint32_t samples, std::uint32_t ticks_each);
  void add_sizes(std::uint32_t samples, std::uint32_t bytes_each) {
    sizes_.add(samples, bytes_each);
  }
  // stsc: from this chunk (the first is 1) to the next one named. False for values that the format
  // does not allow and that readers repair in different ways.
  [[nodiscard]] bool add_chunk_run(std::uint32_t first_chunk, std::uint32_t samples_each);
  void add_chunk(std::uint64_t offset) { offsets_.push_back(offset); }
  // trun: a chunk of its own; its sizes and durations are added as above.
  void add_fragment_run(std::uint64_t offset, std::uint32_t samples);
  // All of its samples have been read.
  void clear();

  std::size_t entries() const;
  bool has_samples() const { return sizes_.total() > 0; }
  // One run of one tick: see packing.
  bool lasts_one_tick_each() const { return duration_runs_ == 1 && one_tick_; }

  // Chunks in file order, without overlap, and as many samples as sizes. All writers write this;
  // with anything else, samples could be read several times.
  bool is_ordinary(const std::optional<packing>& whole_chunks) const;

  class cursor {
   public:
    // The next extent that has bytes.
    std::optional<extent> next(const sample_index& in, const std::optional<packing>& whole_chunks);

   private:
    bool open_chunk(const sample_index& in);
    extent take(const sample_index& in, std::uint64_t samples);
    extent take_packed(const sample_index& in, const packing& pieces);

    runs::cursor sizes_, durations_, chunk_lengths_;
    std::size_t chunk_ = 0;
    std::uint64_t left_in_chunk_ = 0, offset_ = 0, tick_ = 0;
  };

 private:
  runs sizes_, durations_;
  runs chunk_lengths_;  // of the chunks before the last one that stsc names
  std::vector<std::uint64_t> offsets_;
  std::uint32_t named_chunk_ = 0, samples_a_chunk_ = 0;
  std::size_t duration_runs_ = 0;
  bool one_tick_ = false;
};

}  // namespace tollgate::routes::meters::mp4
