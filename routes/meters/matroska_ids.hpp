// The Matroska elements that the meter reads (RFC 9559, section 5).
#pragma once

#include <cstddef>
#include <cstdint>

namespace tollgate::routes::meters {

namespace matroska_id {
enum : std::uint32_t {
  ebml = 0x1A45DFA3,
  doc_type = 0x4282,
  segment = 0x18538067,
  void_element = 0xEC,
  crc_32 = 0xBF,
  seek_head = 0x114D9B74,
  seek = 0x4DBB,
  seek_id = 0x53AB,
  seek_position = 0x53AC,
  info = 0x1549A966,
  tracks = 0x1654AE6B,
  track_entry = 0xAE,
  track_number = 0xD7,
  track_type = 0x83,
  codec_id = 0x86,
  codec_private = 0x63A2,
  audio = 0xE1,
  sampling_frequency = 0xB5,
  channels = 0x9F,
  bit_depth = 0x6264,
  content_encodings = 0x6D80,
  content_encoding = 0x6240,
  encoding_scope = 0x5032,
  encoding_type = 0x5033,
  content_compression = 0x5034,
  compression_algorithm = 0x4254,
  compression_settings = 0x4255,
  content_encryption = 0x5035,
  cluster = 0x1F43B675,
  simple_block = 0xA3,
  block_group = 0xA0,
  block = 0xA1,
  block_additional = 0xA5,
  discard_padding = 0x75A2,
  cues = 0x1C53BB6B,
  chapters = 0x1043A770,
  tags = 0x1254C367,
  attachments = 0x1941A469,
  file_data = 0x465C,
};
}

inline bool is_top_level(std::uint32_t element) {
  switch (element) {
    case matroska_id::seek_head:
    case matroska_id::info:
    case matroska_id::tracks:
    case matroska_id::cluster:
    case matroska_id::cues:
    case matroska_id::chapters:
    case matroska_id::tags:
    case matroska_id::attachments:
      return true;
    default:
      return false;
  }
}

// Elements that begin a new file.
inline bool is_root(std::uint32_t element) {
  return element == matroska_id::ebml || element == matroska_id::segment;
}

// Elements whose content is read whole, up to this size.
constexpr std::size_t most_small_bytes = 64;

inline bool is_small(std::uint32_t element) {
  switch (element) {
    case matroska_id::doc_type:
    case matroska_id::seek_id:
    case matroska_id::track_number:
    case matroska_id::track_type:
    case matroska_id::codec_id:
    case matroska_id::sampling_frequency:
    case matroska_id::channels:
    case matroska_id::bit_depth:
    case matroska_id::encoding_scope:
    case matroska_id::encoding_type:
    case matroska_id::compression_algorithm:
    case matroska_id::compression_settings:
    case matroska_id::discard_padding:
      return true;
    default:
      return false;
  }
}

}  // namespace tollgate::routes::meters
