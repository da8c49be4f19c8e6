// The samples of a track: how long, how large, and where in the file (ISO/IEC 14496-12, 8.6
// to 8.8).
#pragma once

#include <cstdint>

#include "routes/meters/mp4/outline.hpp"

namespace tollgate::routes::meters::mp4 {

// A number of samples (access units; single frames of all channels for PCM), what they weigh, and
// how long the container says they are.
struct sample_sum {
  std::uint64_t samples = 0, bytes = 0, ticks = 0;

  sample_sum& operator+=(const sample_sum& more) {
    samples = add(samples, more.samples);
    bytes = add(bytes, more.bytes);
    ticks = add(ticks, more.ticks);
    return *this;
  }
};

// Filled by the tables of a track in any order, or by its fragments: a `trun` is a chunk.
class sample_table {
 public:
  // PCM: stsz does not count (QuickTime writes 1 for any size); every sample is as long as this.
  void set_sample_size(std::uint64_t bytes) { sample_size_ = bytes; }

  void add_durations(std::uint64_t samples, std::uint64_t ticks_each);  // stts
  void add_sizes(std::uint64_t samples, std::uint64_t bytes_each);      // stsz, stz2
  // stsc: from this chunk (the first is 1) to the next that is named. False for what the format
  // does not allow and readers repair each in its own way: an empty run, or one not behind the
  // last.
  [[nodiscard]] bool add_chunk_run(std::uint64_t first_chunk, std::uint64_t samples_each);
  void add_chunk(std::uint64_t offset);  // stco, co64

  // trun: a chunk of its own, whose sizes and durations are added as above.
  void add_run(std::uint64_t offset, std::uint64_t samples);
  void clear();

  // All that the tables tell of.
  sample_sum claimed() const;
  // What of it lies in a file of which `bytes` have come. Where the outline is not certain, too
  // much rather than too little.
  sample_sum within(std::uint64_t bytes) const;

 private:
  std::uint64_t claimed_samples() const;
  std::uint64_t samples_within(std::uint64_t bytes) const;
  sample_sum sum_of(std::uint64_t samples) const;
  std::uint64_t bytes_of(std::uint64_t samples) const;
  std::uint64_t samples_in(std::uint64_t bytes) const;
  std::uint64_t samples_before(std::uint64_t chunk) const;

  outline<128> durations_;      // samples -> ticks
  outline<512> sizes_;          // samples -> bytes
  outline<128> chunk_lengths_;  // chunks -> samples
  outline<128> offsets_;        // chunks -> where the last of them begins
  std::uint64_t named_chunk_ = 0, samples_a_chunk_ = 0;
  std::uint64_t sample_size_ = 0;
  bool in_order_ = true;
};

}  // namespace tollgate::routes::meters::mp4
