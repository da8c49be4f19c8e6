// The audio tracks of Matroska.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "routes/meters/bytes.hpp"
#include "routes/meters/matroska_codec.hpp"

namespace tollgate::routes::meters {

// Adds up the frames of a track block by block, by what they contain. Where that is not known, by
// timestamps and the durations that the file gives.
class matroska_track {
 public:
  explicit matroska_track(const track_entry& entry);

  std::uint64_t number() const { return number_; }
  std::string_view codec() const { return codec_name_; }
  duration measured() const;

  void begin_block(std::int64_t timestamp_ns);
  // How many bytes of a frame of this size begin_frame() has to see.
  std::size_t head_bytes(std::uint64_t frame_bytes) const;
  void begin_frame(std::string_view head, std::uint64_t frame_bytes);
  void frame_piece(std::string_view piece) {
    if (codec_ != nullptr && codec_->reads_bodies()) block_ += codec_->body(piece);
  }
  void end_block();
  // BlockDuration and DiscardPadding come behind the block.
  void set_block_duration(std::int64_t ns);
  void set_discard_padding(std::int64_t ns);

  // What follows is another file: there is nothing to take off its beginning, as decoders do not
  // notice it, and what was taken off the end stays off.
  void end_document();
  void finish();

 private:
  static constexpr std::size_t most_stripped_bytes = 16;

  duration span() const;

  std::uint64_t number_;
  std::string_view codec_name_;
  std::unique_ptr<packet_codec> codec_;
  std::string stripped_;
  duration delay_;
  duration default_duration_;

  duration counted_, block_, last_block_, discarded_;

  // By timestamps, for a codec that is not known.
  std::optional<std::int64_t> first_ns_;
  std::int64_t last_ns_ = 0;
  duration last_length_, spans_;
};

class matroska_tracks {
 public:
  // Nothing that is not audio is kept. False if there are too many.
  bool add(const track_entry& entry);
  matroska_track* find(std::uint64_t number);
  // What follows a block in its group is about its track.
  matroska_track* latest() { return latest_; }
  void set_latest(matroska_track* track) { latest_ = track; }

  bool empty() const { return tracks_.empty(); }
  std::string_view codec() const { return empty() ? std::string_view{} : tracks_.front().codec(); }
  duration longest() const;
  void end_document();
  void finish();

 private:
  static constexpr std::size_t most_tracks = 64;
  std::vector<matroska_track> tracks_;
  matroska_track* latest_ = nullptr;
};

}  // namespace tollgate::routes::meters
