// How many raw data blocks (frames) an AAC access unit really holds.
//
// A container says where an access unit begins and ends, and everybody expects one block in it.
// Decoders play all blocks that are in it, one after the other. Where a block ends is known only to
// who reads it to its end (ISO/IEC 14496-3, 4.4.2): this does, as far as that takes, and decodes
// nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::routes::meters::aac {

// The object types whose blocks can be followed. What they differ in is how they predict.
enum class profile : std::uint8_t { main, low_complexity, long_term_prediction };

struct format {
  unsigned rate_index = 0;    // of the core, 0 to 12 (ISO/IEC 14496-3, table 1.18)
  bool short_frames = false;  // 960 samples instead of 1024
  profile predicts = profile::low_complexity;
};
std::optional<unsigned> rate_index_of(std::uint32_t rate);

struct block_count {
  std::size_t blocks = 0;
  // What stands behind the last block is not one that a decoder of this format takes.
  bool broken = false;
  // A header of ADTS stands there, which decoders obey in the middle of other streams, too.
  bool unusual = false;
};

// So many bytes behind the end may be read.
inline constexpr std::size_t padding = 8;
// `unit` must be followed by `padding` bytes of zero.
block_count count_blocks(std::string_view unit, const format& of);

}  // namespace tollgate::routes::meters::aac
