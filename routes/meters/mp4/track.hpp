// One track of a movie, as far as the length of its audio is concerned.
#pragma once

#include <cstdint>

#include "routes/meters/duration.hpp"
#include "routes/meters/mp4/sample_entry.hpp"
#include "routes/meters/mp4/sample_table.hpp"

namespace tollgate::routes::meters::mp4 {

// What a fragment takes for samples that do not say it themselves (trex, tfhd).
struct sample_defaults {
  std::uint32_t duration = 0, size = 0;
};

class track {
 public:
  std::uint32_t id = 0, timescale = 0;
  fourcc handler = 0;
  sample_table samples;

  // A track may have each of its tables once. False when it has had this one already.
  [[nodiscard]] bool is_first(fourcc box);

  // Players go by the codec where the handler is not clear about it; of a video track they do not.
  bool is_audio() const {
    return handler == name("soun") || (handler != name("vide") && !codec().empty());
  }
  std::string_view codec() const {
    return earlier_.codec.empty() ? described_.codec : earlier_.codec;
  }

  void add_edit(std::uint64_t movie_ticks, std::uint64_t media_time);  // elst
  // One more entry of stsd. Where there are several, any may hold for any sample, so that no sample
  // is taken for less than the longest of them.
  void add_description(const codec_description& more);
  // The last of them, whose decoder configuration is being read.
  codec_description& described() { return described_; }

  // The track goes on in fragments.
  void add_run(std::uint64_t offset, std::uint64_t count) {
    fragmented_ = true;
    samples.add_run(offset, count);
  }

  // Everything the samples so far tell of has come: only the sum is kept. Nothing happens where
  // `bytes` of the file are too few for that.
  void settle(std::uint64_t bytes);

  // The audio in a file of which `bytes` have come.
  duration length(std::uint64_t bytes) const;
  // The same without what the edit list leaves out. That of a fragmented movie counts for nothing:
  // some players obey it, FFmpeg does not.
  duration edited_length(std::uint64_t bytes, std::uint32_t movie_timescale) const;

 private:
  codec_description bounds() const;
  duration length_of(const sample_sum& sum) const;

  codec_description earlier_, described_;
  unsigned descriptions_ = 0;
  sample_sum settled_;
  std::uint64_t media_time_ = 0, shown_movie_ticks_ = 0;
  unsigned edits_ = 0;
  bool shown_to_the_end_ = false, fragmented_ = false;
  std::uint32_t seen_ = 0;
};

}  // namespace tollgate::routes::meters::mp4
