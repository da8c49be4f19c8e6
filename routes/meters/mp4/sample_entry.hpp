// What a track says of its codec (ISO/IEC 14496-12, 12.2.3; QuickTime File Format, "Sound Sample
// Descriptions"), read for one purpose: how much audio a sample holds, whatever stts says.
#pragma once

#include <cstdint>
#include <string_view>

#include "routes/meters/mp4/bytes.hpp"

namespace tollgate::routes::meters::mp4 {

constexpr std::uint64_t any_number = saturated;

struct codec_description {
  std::string_view codec;  // empty: no audio codec that is known here
  // The audio samples of a channel that one sample of the track holds.
  std::uint64_t least = 0, most = any_number;
  std::uint32_t rate = 0;  // 0: the timescale of the track
  // Where every sample has the same size (PCM), this; else 0.
  std::uint64_t sample_size = 0;
  // The size that one frame of the codec cannot exceed, where it has one. What is larger holds
  // several frames, and decoders play them all.
  std::uint64_t most_bytes_a_frame = 0;
};

struct sample_entry {
  codec_description describes;
  std::uint64_t head_size = 0;  // in front of the boxes inside it
};
constexpr std::size_t longest_entry_head = 28 + 36;
sample_entry read_sample_entry(fourcc format, std::string_view head, unsigned stsd_version);

// A box inside the sample entry that configures its decoder: esds, dfLa, alac. What stands behind
// the first `longest_config` bytes of its content is not looked at.
constexpr std::size_t longest_config = 512;
void read_decoder_config(fourcc box, std::string_view content, codec_description& out);

}  // namespace tollgate::routes::meters::mp4
