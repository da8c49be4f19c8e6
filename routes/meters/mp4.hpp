// The ISO base media file format (ISO/IEC 14496-12) and its kin: MP4, M4A, 3GP, QuickTime (MOV).
#pragma once

#include <memory>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

// Counts the longest audio track of a movie, whole or fragmented, its index before or after the
// samples.
//
// - A track is worth the samples that have come. Their number and sizes are in its sample table
//   (stts, stsz, stsc, stco) or in its fragments (tfhd, trun); what lies beyond the end of the
//   input is not counted. An index that stands in front of the samples is kept as an outline of
//   some kilobytes: of long tables, a truncated file is then worth its samples to within a
//   five-hundredth of the track.
// - The durations of the samples are the container's word, which a decoder does not take: it plays
//   what it decodes. So where the codec says how much audio a sample holds (AAC, ALAC, PCM, FLAC,
//   Opus, AMR, AC-3), the word counts only within these bounds. Only the last sample may be
//   shorter.
// - An edit list takes off what it leaves out, after finish(): mostly the delay and the padding of
//   the encoder. As in FFmpeg, that of a fragmented movie is not looked at.
// - What two readers could read in two ways is unmeasurable: a table that overruns its box, a
//   second table of the same kind in a track. So are movies without audio and movies with more
//   audio tracks than eight.
//
// What this cannot see, for the index does not say it: several AAC frames in one sample, which
// FFmpeg decodes one after the other, as long as they are together no larger than one may be (768
// bytes a channel); Opus packets that are longer than the container says, when it says at least 2.5
// ms; durations that are too short for codecs not named above. The gapless tags of iTunes are not
// read.
std::unique_ptr<meter> make_mp4_meter();

}  // namespace tollgate::routes::meters
