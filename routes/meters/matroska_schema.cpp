#include "routes/meters/matroska_schema.hpp"

#include <algorithm>
#include <array>

namespace tollgate::routes::meters::matroska_schema {
namespace {

namespace id = matroska_id;

enum class content : std::uint8_t { master, number, real, bytes };

struct place {
  std::uint32_t element, master;
  content is = content::master;
};

// The ids are unique, except for masters that may contain themselves. The table has all masters,
// everything that the count depends on, and every element near the audio that decoders read.
// Frequent elements come first.
constexpr std::array places{
    place{id::simple_block, id::cluster, content::bytes},
    place{id::block_group, id::cluster},
    place{id::block, id::block_group, content::bytes},
    place{0xE7, id::cluster, content::number},      // Timestamp
    place{0x9B, id::block_group, content::number},  // BlockDuration
    place{0xFB, id::block_group, content::number},  // ReferenceBlock
    place{0xFA, id::block_group, content::number},  // ReferencePriority
    place{0xFD, id::block_group, content::number},  // ReferenceVirtual
    place{id::discard_padding, id::block_group, content::number},
    place{0xA7, id::cluster, content::number},  // Position
    place{0xAB, id::cluster, content::number},  // PrevSize
    place{0x5854, id::cluster},                 // SilentTracks
    place{0x75A1, id::block_group},             // BlockAdditions
    place{0xA6, 0x75A1},                        // BlockMore
    place{0xEE, 0xA6, content::number},         // BlockAddID
    place{id::block_additional, 0xA6, content::bytes},
    place{0x8E, id::block_group},  // Slices
    place{0xE8, 0x8E},             // TimeSlice
    place{0xC8, id::block_group},  // ReferenceFrame

    place{id::ebml, document},
    place{id::segment, document},
    place{id::doc_type, id::ebml, content::bytes},
    place{id::seek_head, id::segment},
    place{id::seek, id::seek_head},
    place{id::seek_id, id::seek, content::number},
    place{id::seek_position, id::seek, content::number},
    place{id::info, id::segment},
    place{0x6924, id::info},  // ChapterTranslate
    place{id::cluster, id::segment},

    place{id::tracks, id::segment},
    place{id::track_entry, id::tracks},
    place{id::track_number, id::track_entry, content::number},
    place{id::track_type, id::track_entry, content::number},
    place{id::codec_id, id::track_entry, content::bytes},
    place{id::codec_private, id::track_entry, content::bytes},
    place{0x536E, id::track_entry, content::bytes},    // Name
    place{0x22B59C, id::track_entry, content::bytes},  // Language
    place{0x22B59D, id::track_entry, content::bytes},  // LanguageBCP47
    place{0x258688, id::track_entry, content::bytes},  // CodecName
    place{0x3A9697, id::track_entry, content::bytes},  // CodecSettings
    place{0x3B4040, id::track_entry, content::bytes},  // CodecInfoURL
    place{0x26B240, id::track_entry, content::bytes},  // CodecDownloadURL
    place{0xC1, id::track_entry, content::bytes},      // TrickTrackSegmentUID
    place{0xC4, id::track_entry, content::bytes},      // TrickMasterTrackSegmentUID
    place{0x23314F, id::track_entry, content::real},   // TrackTimestampScale
    place{0x6624, id::track_entry},                    // TrackTranslate
    place{0x66A5, 0x6624, content::bytes},             // TrackTranslateTrackID
    place{0x41E4, id::track_entry},                    // BlockAdditionMapping
    place{0x41A4, 0x41E4, content::bytes},             // BlockAddIDName
    place{0x41ED, 0x41E4, content::bytes},             // BlockAddIDExtraData
    place{0xE2, id::track_entry},                      // TrackOperation
    place{0xE3, 0xE2},                                 // TrackCombinePlanes
    place{0xE4, 0xE3},                                 // TrackPlane
    place{0xE9, 0xE2},                                 // TrackJoinBlocks
    place{id::audio, id::track_entry},
    place{id::sampling_frequency, id::audio, content::real},
    place{0x78B5, id::audio, content::real},  // OutputSamplingFrequency
    place{id::channels, id::audio, content::number},
    place{id::bit_depth, id::audio, content::number},
    place{0x7D7B, id::audio, content::bytes},  // ChannelPositions
    place{0xE0, id::track_entry},              // Video
    place{0x2EB524, 0xE0, content::bytes},     // UncompressedFourCC
    place{0x2FB523, 0xE0, content::real},      // GammaValue
    place{0x2383E3, 0xE0, content::real},      // FrameRate
    place{0x55B0, 0xE0},                       // Colour
    place{0x55D0, 0x55B0},                     // MasteringMetadata, with coordinates
    place{0x55D1, 0x55D0, content::real},
    place{0x55D2, 0x55D0, content::real},
    place{0x55D3, 0x55D0, content::real},
    place{0x55D4, 0x55D0, content::real},
    place{0x55D5, 0x55D0, content::real},
    place{0x55D6, 0x55D0, content::real},
    place{0x55D7, 0x55D0, content::real},
    place{0x55D8, 0x55D0, content::real},
    place{0x55D9, 0x55D0, content::real},
    place{0x55DA, 0x55D0, content::real},
    place{0x7670, 0xE0},  // Projection, with its angles
    place{0x7672, 0x7670, content::bytes},
    place{0x7673, 0x7670, content::real},
    place{0x7674, 0x7670, content::real},
    place{0x7675, 0x7670, content::real},
    place{id::content_encodings, id::track_entry},
    place{id::content_encoding, id::content_encodings},
    place{id::encoding_scope, id::content_encoding, content::number},
    place{id::encoding_type, id::content_encoding, content::number},
    place{id::content_compression, id::content_encoding},
    place{id::compression_algorithm, id::content_compression, content::number},
    place{id::compression_settings, id::content_compression, content::bytes},
    place{id::content_encryption, id::content_encoding},
    place{0x47E2, id::content_encryption, content::bytes},  // ContentEncKeyID
    place{0x47E3, id::content_encryption, content::bytes},  // ContentSignature
    place{0x47E4, id::content_encryption, content::bytes},  // ContentSigKeyID
    place{0x47E7, id::content_encryption},                  // ContentEncAESSettings

    place{id::cues, id::segment},
    place{0xBB, id::cues},  // CuePoint
    place{0xB7, 0xBB},      // CueTrackPositions
    place{0xDB, 0xB7},      // CueReference
    place{id::chapters, id::segment},
    place{0x45B9, id::chapters},  // EditionEntry
    place{0x4520, 0x45B9},        // EditionDisplay
    place{0xB6, 0x45B9},          // ChapterAtom
    place{0xB6, 0xB6},
    place{0x8F, 0xB6},      // ChapterTrack
    place{0x80, 0xB6},      // ChapterDisplay
    place{0x6944, 0xB6},    // ChapProcess
    place{0x6911, 0x6944},  // ChapProcessCommand
    place{id::tags, id::segment},
    place{0x7373, id::tags},  // Tag
    place{0x63C0, 0x7373},    // Targets
    place{0x67C8, 0x7373},    // SimpleTag
    place{0x67C8, 0x67C8},
    place{id::attachments, id::segment},
    place{0x61A7, id::attachments},  // AttachedFile
    place{id::file_data, 0x61A7, content::bytes},
};

const place* find(std::uint32_t element) {
  const auto found = std::find_if(places.begin(), places.end(),
                                  [element](const auto& each) { return each.element == element; });
  return found == places.end() ? nullptr : &*found;
}

bool is_place(std::uint32_t element, std::uint32_t master) {
  return std::any_of(places.begin(), places.end(), [&](const auto& each) {
    return each.element == element && each.master == master;
  });
}

bool is_about_tracks(std::uint32_t master) {
  if (master == id::tracks) return true;
  const auto* at = find(master);
  return at != nullptr && at->master != document && at->master != master &&
         is_about_tracks(at->master);
}

// Decoders fail when a number is longer than allowed, and ignore the rest. So among the elements
// that describe the audio, only text may be longer.
bool is_of_a_size(content is, std::uint64_t size) {
  constexpr std::uint64_t longest_number = 8, longest_bytes = 256 << 20;
  switch (is) {
    case content::number:
      return size <= longest_number;
    case content::real:
      return size == 0 || size == 4 || size == 8;
    case content::bytes:
      return size <= longest_bytes;
    case content::master:
      return true;
  }
  return true;
}

}  // namespace

bool is_master(std::uint32_t element) {
  const auto* at = find(element);
  return at != nullptr && at->is == content::master;
}

bool allows(const ebml_element& element, std::uint32_t master) {
  const bool is_live = element.id == id::segment || element.id == id::cluster;
  if (element.size == ebml_element::unknown_size) return is_live && is_place(element.id, master);
  if (element.id == id::void_element || element.id == id::crc_32) return true;
  if (const auto* at = find(element.id))
    return is_place(element.id, master) && is_of_a_size(at->is, element.size);
  if (master == document || master == id::segment) return false;
  if (master == id::seek_head || master == id::seek) return false;
  return !is_about_tracks(master) || is_of_a_size(content::number, element.size);
}

}  // namespace tollgate::routes::meters::matroska_schema
