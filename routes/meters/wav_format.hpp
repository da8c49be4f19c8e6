// The "fmt " chunk of a WAV file: what its data are.
#pragma once

#include <optional>
#include <string_view>

#include "routes/meters/block_layout.hpp"

namespace tollgate::routes::meters {

enum class byte_order : std::uint8_t { little, big };

struct wav_format {
  // `maybe_frames`: 16-bit PCM, in which ffmpeg looks for frames of a codec and plays those.
  enum class data : std::uint8_t { blocks, maybe_frames, mpeg_frames, adts_frames };

  data is = data::blocks;
  std::string_view codec;
  block_layout layout;  // but of frames
  bool is_pcm = false;  // of integers: may hold bursts of IEC 61937
};

// WAVEFORMATEX says the same thing several times; read is what ffmpeg's decoders go by: for PCM
// bits per sample and channels, never the block size or the bytes per second. Nothing where no
// decoder would play it, or none whose bytes tell the time.
std::optional<wav_format> read_wav_format(std::string_view chunk, byte_order order);

// All of the chunk that is looked at.
inline constexpr std::size_t wav_format_bytes = 40;

}  // namespace tollgate::routes::meters
