#include "routes/meters/matroska_entry.hpp"

#include <algorithm>
#include <array>

#include "routes/meters/bytes.hpp"
#include "routes/meters/ebml.hpp"

namespace tollgate::routes::meters {

namespace id = matroska_id;

bool matroska_entry::begin(std::uint32_t element, std::uint64_t size) {
  constexpr std::array once{id::track_number,
                            id::track_type,
                            id::codec_id,
                            id::codec_private,
                            id::audio,
                            id::sampling_frequency,
                            id::channels,
                            id::bit_depth,
                            id::content_encodings,
                            id::content_encoding,
                            id::encoding_scope,
                            id::encoding_type,
                            id::content_compression,
                            id::compression_algorithm,
                            id::compression_settings};
  // The default algorithm is zlib.
  if (element == id::content_encoding) {
    ++entry_.encodings;
    entry_.is_compressed = true;
  }
  if (element == id::content_encryption) entry_.is_encrypted = true;
  if (is_small(element) && size > most_small_bytes) return false;
  const auto found = std::find(once.begin(), once.end(), element);
  if (found == once.end()) return true;
  const auto bit = std::uint32_t{1} << (found - once.begin());
  const bool was_there = (seen_ & bit) != 0;
  seen_ |= bit;
  return !was_there;
}

void matroska_entry::take(std::uint32_t element, std::string_view content) {
  const auto number = content.size() <= 8 ? big_endian(content) : 0;
  switch (element) {
    case id::track_number:
      entry_.number = number;
      break;
    case id::track_type:
      entry_.type = number;
      break;
    case id::codec_id:
      entry_.codec_id = content.substr(0, content.find('\0'));
      break;
    case id::sampling_frequency:
      entry_.sampling_frequency = ebml_float(content);
      break;
    case id::channels:
      entry_.channels = number;
      break;
    case id::bit_depth:
      entry_.bit_depth = number;
      break;
    case id::encoding_scope:
      entry_.is_of_frames_only = number == 1;
      break;
    case id::encoding_type:
      entry_.is_encrypted = entry_.is_encrypted || number != 0;
      break;
    case id::compression_algorithm:
      entry_.is_compressed = number != track_entry::header_stripping;
      break;
    case id::compression_settings:
      entry_.stripped_header = content;
      break;
    default:
      break;
  }
}

void matroska_entry::take_private(std::string_view piece) {
  auto& kept = entry_.codec_private;
  kept.append(piece.substr(0, most_private_bytes - kept.size()));
}

}  // namespace tollgate::routes::meters
