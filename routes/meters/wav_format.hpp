// The "fmt " chunk of a WAV file: the format of its data.
#pragma once

#include <optional>
#include <string_view>

#include "routes/meters/block_layout.hpp"

namespace tollgate::routes::meters {

enum class byte_order : std::uint8_t { little, big };

struct wav_format {
  // `maybe_frames`: 16-bit PCM, in which ffmpeg searches for frames of a codec and plays those.
  enum class data : std::uint8_t { blocks, maybe_frames, mpeg_frames, adts_frames };

  data is = data::blocks;
  std::string_view codec;
  block_layout layout;  // unused for frames
  bool is_pcm = false;  // integer PCM: may contain bursts of IEC 61937
};

// WAVEFORMATEX states the same thing several times. This reads the fields that ffmpeg's decoders
// use: for PCM bits per sample and channels, never the block size or the bytes per second. Empty if
// no decoder plays the format, or if its bytes do not determine the duration.
std::optional<wav_format> read_wav_format(std::string_view chunk, byte_order order);

// Only this many bytes of the chunk are read.
inline constexpr std::size_t wav_format_bytes = 40;

}  // namespace tollgate::routes::meters
