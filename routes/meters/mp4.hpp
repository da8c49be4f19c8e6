// The ISO base media file format (ISO/IEC 14496-12) and its relatives: MP4, M4A, 3GP, QuickTime
// (MOV).
#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Counts the longest audio track of a movie, whole or fragmented, with its index before or after
// the samples.
//
// - The bytes of a sample tell its duration: the blocks of AAC, the frames of MP3, AC-3, AMR and
//   FLAC, the first bytes of Opus and ALAC, the size of PCM and ADPCM. The container's duration is
//   ignored.
// - The index only says where the samples are. It is kept as runs, like the tables in the file, up
//   to a million. If it comes after the samples, they have already passed: the meter then wants a
//   second reading.
// - An edit list removes the parts that it omits: usually the encoder's delay and padding. As in
//   FFmpeg, whole access units are played, except for the first; edit lists of fragmented movies
//   are ignored.
// - Anything that two readers could read differently, or that no ordinary encoder writes, is
//   unmeasurable: see box_rules.hpp, and in the movie a second index, overlapping samples, edit
//   lists that repeat the media, timescales out of range, unknown codecs, movies without audio or
//   with more than eight audio tracks.
//
// iTunes' gapless tags are not read.
std::unique_ptr<meter> make_mp4_meter();

}  // namespace tollgate::routes::meters
