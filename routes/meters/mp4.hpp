// The ISO base media file format (ISO/IEC 14496-12) and its kin: MP4, M4A, 3GP, QuickTime (MOV).
#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Counts the longest audio track of a movie, whole or fragmented, its index before or after the
// samples.
//
// - What a sample plays is told by its own bytes: the blocks of AAC, the frames of MP3, AC-3, AMR
//   and FLAC, the first bytes of Opus and ALAC, the size of PCM and ADPCM. How long the container
//   says it is does not count.
// - The index only says where the samples are. It is kept as the tables say it, up to a million
//   runs. Where it stands behind samples, these have gone by when it comes: the meter then wants a
//   second reading.
// - An edit list takes off what it leaves out: mostly the delay and the padding of the encoder. As
//   in FFmpeg, whole access units are played, but for the first, and that of a fragmented movie is
//   not looked at.
// - What two readers could read in two ways, or no ordinary encoder writes, is unmeasurable:
//   box_rules.hpp, and in the movie a second index, samples over each other, edit lists that repeat
//   the media, timescales out of range, codecs that are not known here, movies without audio and
//   with more audio tracks than eight.
//
// The gapless tags of iTunes are not read.
std::unique_ptr<meter> make_mp4_meter();

}  // namespace tollgate::routes::meters
