// What a Matroska TrackEntry says about its codec (RFC 9559, section 5.1.4.1).
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
  double sampling_frequency = 8000;  // default of the element
  std::uint64_t channels = 1;
  std::uint64_t bit_depth = 0;
  // Bytes that the muxer removed from the front of each frame (header stripping).
  std::string stripped_header;
  static constexpr std::size_t most_stripped_bytes = 16;
  // ContentEncodings: other transformations of the frames, after which they cannot be read.
  unsigned encodings = 0;
  bool is_compressed = false, is_encrypted = false, is_of_frames_only = true;

  // Nothing but header stripping, once, and no longer than the buffer.
  bool has_plain_frames() const {
    return encodings <= 1 && !is_compressed && !is_encrypted && is_of_frames_only &&
           stripped_header.size() <= most_stripped_bytes;
  }
};

// The codec of the track; null if its frames do not tell their duration or cannot be read.
// Timestamps and durations are claims of the file, which decoders ignore.
std::unique_ptr<packet_codec> make_codec(const track_entry& track);
// The duration that decoders discard at the start: only the pre-skip of Opus. ffmpeg ignores
// CodecDelay.
duration codec_delay(const track_entry& track);
}  // namespace tollgate::routes::meters
