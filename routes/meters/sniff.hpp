#pragma once

#include <memory>
#include <optional>

#include "routes/meters/meter.hpp"
#include "routes/meters/raw_pcm.hpp"

namespace tollgate::routes::meters {

struct audio_options {
  // What the bytes are taken for when they are nothing that is known; else they are unmeasurable.
  std::optional<pcm_format> raw;
};

// Finds out from the bytes alone what they are, whatever their content type said, and counts them:
// WAV, AIFF, AMR, Ogg, FLAC, MP4, Matroska and WebM, and MPEG program streams by their first bytes
// (a tag of ID3v2 in front of all but the last is passed over), MP3 and ADTS by their frames, which
// may begin up to 64 KiB further on.
std::unique_ptr<meter> make_audio_meter(audio_options options);

}  // namespace tollgate::routes::meters
