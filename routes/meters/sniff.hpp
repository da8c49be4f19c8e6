#pragma once

#include <memory>
#include <optional>

#include "routes/meters/meter.hpp"
#include "routes/meters/raw_pcm.hpp"

namespace tollgate::routes::meters {

struct audio_options {
  // The format of bytes that no other format matches; without it they are unmeasurable.
  std::optional<pcm_format> raw;
};

// Detects the format from the bytes alone, whatever the content type, and counts: WAV, AIFF, AMR,
// Ogg, FLAC, MP4, Matroska and WebM, and MPEG program streams by their first bytes (an ID3v2 tag
// before all but the last is skipped); MP3 and ADTS by their frames, which may begin up to 64 KiB
// later.
std::unique_ptr<meter> make_audio_meter(audio_options options);

}  // namespace tollgate::routes::meters
