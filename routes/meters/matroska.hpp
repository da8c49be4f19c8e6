#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Matroska and WebM (RFC 9559), also live, truncated, or concatenated from several files. The meter
// counts the frames in the blocks by their content: Opus, Vorbis, FLAC, AAC, MPEG audio, AC-3,
// E-AC-3, ALAC and PCM. It ignores Duration and timestamps. So a file with audio in another codec,
// or with compressed frames (except by header stripping), is not measured. Of several tracks the
// longest counts.
std::unique_ptr<meter> make_matroska_meter();

}  // namespace tollgate::routes::meters
