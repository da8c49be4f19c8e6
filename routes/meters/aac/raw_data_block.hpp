// Counts the raw data blocks (frames) in an AAC access unit.
//
// A container delimits access units, and readers expect one block in each. Decoders play every
// block in the unit, one after the other. A block has no length field: finding its end requires
// parsing it (ISO/IEC 14496-3, 4.4.2). This parser reads only what that needs and decodes nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::routes::meters::aac {

// The object types whose blocks this parser can follow. They differ in how they predict.
enum class profile : std::uint8_t { main, low_complexity, long_term_prediction };

struct format {
  unsigned rate_index = 0;    // of the core, 0 to 12 (ISO/IEC 14496-3, table 1.18)
  bool short_frames = false;  // 960 samples instead of 1024
  profile predicts = profile::low_complexity;
};
std::optional<unsigned> rate_index_of(std::uint32_t rate);

struct block_count {
  std::size_t blocks = 0;
  // The bytes after the last block are not a block that a decoder of this format accepts.
  bool broken = false;
  // An ADTS header follows. Decoders obey it even inside other streams.
  bool unusual = false;
};

// The parser may read this many bytes past the end.
inline constexpr std::size_t padding = 8;
// `unit` must be followed by `padding` zero bytes.
block_count count_blocks(std::string_view unit, const format& of);

}  // namespace tollgate::routes::meters::aac
