// The audio tracks of Matroska.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "routes/meters/bytes.hpp"
#include "routes/meters/matroska_codec.hpp"

namespace tollgate::routes::meters {

// Adds up the frames of a track block by block, by their content.
class matroska_track {
 public:
  matroska_track(const track_entry& entry, std::unique_ptr<packet_codec> codec);

  std::uint64_t number() const { return number_; }
  std::string_view codec() const { return codec_->name(); }
  duration measured() const { return counted_ - discarded_ - delay_; }
  bool is_unclear() const { return codec_->is_unclear(); }

  void begin_block() { block_ = {}; }
  // How many bytes of a frame of this size begin_frame() needs.
  std::size_t head_bytes(std::uint64_t frame_bytes) const;
  void begin_frame(std::string_view head, std::uint64_t frame_bytes);
  void frame_piece(std::string_view piece) {
    if (codec_->reads_bodies()) block_ += codec_->body(piece);
  }
  void end_block();
  // DiscardPadding comes after the block.
  void set_discard_padding(std::int64_t ns);

  // Another file follows. Decoders do not notice it, so nothing is discarded at its start; the time
  // discarded at the end of the previous file stays discarded.
  void end_document();
  void finish();

 private:
  std::uint64_t number_;
  std::unique_ptr<packet_codec> codec_;
  std::string stripped_;
  duration delay_;
  duration counted_, block_, last_block_, discarded_;
};

class matroska_tracks {
 public:
  // For a track that is not audio only the number is kept. False if there are too many tracks, or
  // one that cannot be counted.
  bool add(const track_entry& entry);
  matroska_track* find(std::uint64_t number);
  bool has(std::uint64_t number) const { return entry_of(number) != nullptr; }
  // Decoders pass its frames through unchanged.
  bool is_plain_video(std::uint64_t number) const;
  // Elements after a block in its group belong to the block's track.
  matroska_track* latest() { return latest_; }
  void set_latest(matroska_track* track) { latest_ = track; }

  bool empty() const { return tracks_.empty(); }
  std::string_view codec() const { return empty() ? std::string_view{} : tracks_.front().codec(); }
  duration longest() const;
  // A track contained something that no ordinary encoder writes and that cannot be counted.
  bool is_unclear() const;
  void end_document();
  void finish();

 private:
  static constexpr std::size_t most_tracks = 64;
  std::vector<matroska_track> tracks_;
  struct known_entry {
    std::uint64_t number;
    bool is_plain_video;
  };
  const known_entry* entry_of(std::uint64_t number) const;

  std::vector<known_entry> entries_;  // tracks of any medium
  matroska_track* latest_ = nullptr;
};

}  // namespace tollgate::routes::meters
