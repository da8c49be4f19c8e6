// The content of SimpleBlock and Block elements (RFC 9559, section 10).
#pragma once

#include <string_view>

#include "routes/meters/matroska_lacing.hpp"
#include "routes/meters/matroska_track.hpp"

namespace tollgate::routes::meters {

// Passes the frames of a block to its track. A block counts once it is complete, as in decoders.
class matroska_block {
 public:
  void begin(std::uint64_t size);

  struct progress {
    std::size_t used;    // bytes consumed
    std::size_t needed;  // how many bytes the next call needs, if the block has not ended
  };
  // Reads the next bytes of the content; at least as many as the last call needed.
  progress read(std::string_view bytes, matroska_tracks& tracks);
  bool has_ended() const { return left_ == 0; }
  // Decoders may take the block for damaged: its sizes are inconsistent, or they decompress it
  // first and may fail.
  bool may_be_broken() const { return may_be_broken_; }
  // The block's track has no entry. No encoder writes such blocks.
  bool is_of_no_track() const { return is_of_no_track_; }

 private:
  enum class stage : std::uint8_t { head, lacing, frames, ignored };

  progress read_head(std::string_view bytes, matroska_tracks& tracks);
  progress read_lacing(std::string_view bytes);
  progress read_frames(std::string_view bytes);
  progress ignore(std::string_view bytes);
  progress give_up(std::string_view bytes);
  progress use(std::size_t bytes, std::size_t then_needed = 1);
  bool next_frame();

  stage stage_ = stage::head;
  std::uint64_t left_ = 0;
  matroska_track* track_ = nullptr;
  matroska_lacing lacing_;
  std::uint64_t frame_left_ = 0;
  bool in_frame_ = false, expects_head_ = false;
  bool is_of_no_track_ = false, may_be_broken_ = false;
};

}  // namespace tollgate::routes::meters
