#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Matroska and WebM (RFC 9559), also live, cut off, or joined from several files. What counts are
// the frames in the blocks, by what they contain, where the codec is Opus, Vorbis, FLAC, AAC, MPEG
// audio or PCM; Duration and timestamps are not believed. For other codecs there is nothing but
// timestamps. Several tracks count by the longest of them.
std::unique_ptr<meter> make_matroska_meter();

}  // namespace tollgate::routes::meters
