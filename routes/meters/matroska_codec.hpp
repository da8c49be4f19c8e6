// What a TrackEntry of Matroska says about its codec (RFC 9559, section 5.1.4.1).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

struct track_entry {
  static constexpr std::uint64_t video = 1, audio = 2;  // of TrackType
  static constexpr std::uint64_t header_stripping = 3;  // of ContentCompAlgo

  std::uint64_t number = 0;
  std::uint64_t type = 0;
  std::string codec_id;
  std::string codec_private;
  double sampling_frequency = 8000;  // what the element is when it is not there
  std::uint64_t channels = 1;
  std::uint64_t bit_depth = 0;
  // Bytes that the muxer has cut off the front of each frame (header stripping).
  std::string stripped_header;
  static constexpr std::size_t most_stripped_bytes = 16;
  // ContentEncodings: what else may have been done to the frames, so that they cannot be looked at.
  unsigned encodings = 0;
  bool is_compressed = false, is_encrypted = false, is_of_frames_only = true;

  // Nothing but header stripping, once, and of no more than there is room for.
  bool has_plain_frames() const {
    return encodings <= 1 && !is_compressed && !is_encrypted && is_of_frames_only &&
           stripped_header.size() <= most_stripped_bytes;
  }
};

// The codec of the track; null if its frames do not tell how long they play, or cannot be looked
// at. Timestamps and durations are the file's word, and decoders do not go by them.
std::unique_ptr<packet_codec> make_codec(const track_entry& track);
// What decoders throw away at the beginning. Only the pre-skip of Opus is: ffmpeg does not believe
// CodecDelay.
duration codec_delay(const track_entry& track);
}  // namespace tollgate::routes::meters
