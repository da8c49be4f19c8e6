// What a TrackEntry of Matroska says about its codec (RFC 9559, section 5.1.4.1).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "routes/meters/packet_codec.hpp"

namespace tollgate::routes::meters {

struct track_entry {
  static constexpr std::uint64_t audio = 2;             // of TrackType
  static constexpr std::uint64_t header_stripping = 3;  // of ContentCompAlgo

  std::uint64_t number = 0;
  std::uint64_t type = 0;
  std::string codec_id;
  std::string codec_private;
  double sampling_frequency = 8000;  // what the element is when it is not there
  std::uint64_t channels = 1;
  std::uint64_t bit_depth = 0;
  std::uint64_t default_duration_ns = 0;
  // Bytes that the muxer has cut off the front of each frame (header stripping).
  std::string stripped_header;
  // In another way than that: the frames cannot be looked at.
  bool is_compressed = false, is_encrypted = false;
};

// The codec of the track; none if its frames do not tell their length in a few bytes, so that only
// timestamps do.
std::unique_ptr<packet_codec> make_codec(const track_entry& track);
// What decoders throw away at the beginning. Only the pre-skip of Opus is: ffmpeg does not believe
// CodecDelay.
duration codec_delay(const track_entry& track);
// For people: static text.
std::string_view codec_name(const track_entry& track);

}  // namespace tollgate::routes::meters
