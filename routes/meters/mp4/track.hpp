// One track of a movie, reduced to the duration of its audio.
#pragma once

#include <cstdint>
#include <memory>

#include "routes/meters/duration.hpp"
#include "routes/meters/mp4/sample_entry.hpp"
#include "routes/meters/mp4/sample_reader.hpp"

namespace tollgate::routes::meters::mp4 {

// Default values for a fragment's samples (trex, tfhd).
struct sample_defaults {
  std::uint32_t duration = 0, size = 0;
};

class track {
 public:
  std::uint32_t id = 0, timescale = 0;
  fourcc handler = 0;
  sample_index samples;
  edit_list edits;
  bool has_odd_edits = false;
  sample_description described;
  std::uint32_t descriptions = 0;
  fourcc format = 0;  // of the first description

  // A track may have each of its boxes once. False if this one is repeated.
  [[nodiscard]] bool is_first(fourcc box);

  bool is_video() const { return handler == name("vide"); }
  // If the handler is ambiguous, players use the codec; for a video track they do not.
  bool is_audio() const {
    return handler == name("soun") || (!is_video() && !described.codec().empty());
  }
  // A track of another kind, with a format of that kind.
  bool is_other() const;

  // Called when the tables are complete: the samples can now be read. False if the track is not as
  // ordinary encoders write it. No reader applies the edit lists of movies with fragments.
  [[nodiscard]] bool open(std::uint32_t movie_timescale, bool has_fragments);
  bool is_open() const { return reader_ != nullptr; }
  // A fragment begins: nothing of the previous one is kept.
  void begin_fragment();

  void read(std::uint64_t position, std::string_view piece);
  void finish();
  // Prepares for the second reading.
  void begin_again();

  bool missed_some() const { return reader_ != nullptr && reader_->missed_some(); }
  bool is_unclear() const { return reader_ != nullptr && reader_->is_unclear(); }
  duration played() const { return reader_ == nullptr ? duration{} : reader_->played(); }
  // The duration that the tables claim for the samples in the first `bytes` of the file.
  duration claimed(std::uint64_t bytes) const;

 private:
  std::unique_ptr<sample_reader> reader_;
  presentation shown_;
  std::uint32_t seen_ = 0;
};

}  // namespace tollgate::routes::meters::mp4
