// Passes the samples of a track to its codec as the file passes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "routes/meters/mp4/edit_list.hpp"
#include "routes/meters/mp4/sample_index.hpp"
#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters::mp4 {

// What determines the played part of the samples, apart from their bytes.
struct presentation {
  edit_list edits;
  std::uint32_t timescale = 1, movie_timescale = 1;
  bool obeys_edits = true;
};

class sample_reader {
 public:
  sample_reader(std::unique_ptr<packet_codec> codec, std::optional<packing> whole_chunks);

  // `piece` is at `position` in the file. Pieces come in order and without gaps from `position` on.
  void write(const sample_index& index, const presentation& shown, std::uint64_t position,
             std::string_view piece);
  void finish(const presentation& shown);
  // The index was cleared and starts again.
  void restart_index() { cursor_ = {}; }

  // All samples in the index have been read.
  bool has_read(const sample_index& index) const;
  // Some samples are before the position where reading began.
  bool missed_some() const { return missed_; }
  bool is_unclear() const { return codec_->is_unclear(); }
  // For the current sample, all that has arrived: the edit list is applied at its end.
  duration played() const { return played_ + length_; }

 private:
  bool open_next(const sample_index& index);
  void read(std::string_view bytes);
  void begin_packet();
  void end_sample(const presentation& shown);

  std::unique_ptr<packet_codec> codec_;
  std::optional<packing> whole_chunks_;
  sample_index::cursor cursor_;
  extent open_;
  bool is_open_ = false, missed_ = false, begun_ = false, divisible_ = false;
  std::uint64_t taken_ = 0;
  std::array<char, 16> head_{};
  std::size_t gathered_ = 0;
  duration length_, played_;
};

}  // namespace tollgate::routes::meters::mp4
