#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Matroska and WebM (RFC 9559), also live, cut off, or joined from several files. What counts are
// the frames in the blocks, by what they contain: Opus, Vorbis, FLAC, AAC, MPEG audio, AC-3,
// E-AC-3, ALAC and PCM. Duration and timestamps are not believed, so a file with audio in another
// codec, or in compressed frames (but for header stripping), is not measured. Several tracks count
// by the longest.
std::unique_ptr<meter> make_matroska_meter();

}  // namespace tollgate::routes::meters
