#include "routes/meters/mp4/track.hpp"

#include <algorithm>
#include <array>

namespace tollgate::routes::meters::mp4 {
namespace {

// FFmpeg reads timescales as signed numbers, and replaces any outside this range with 1.
constexpr std::uint32_t most_ticks_a_second = 0x7FFFFFFF;

// Formats of tracks that are neither audio nor video: text, time codes, chapters, metadata, hints;
// and `apac`, which iPhones write beside AAC and only Apple's decoder plays.
constexpr std::array other_formats{
    name("text"), name("tx3g"), name("wvtt"), name("stpp"), name("sbtl"), name("c608"),
    name("c708"), name("tmcd"), name("mebx"), name("metx"), name("mett"), name("urim"),
    name("gpmd"), name("camm"), name("rtp "), name("fdsc"), name("mp4s"), name("apac"),
    name("jpeg"), name("png "), name("djmd"), name("dbgi"), name("CTMD"), name("rtmd")};

}  // namespace

bool track::is_first(fourcc box) {
  // A table has one of these two forms, never both.
  if (box == name("stz2")) box = name("stsz");
  if (box == name("co64")) box = name("stco");
  constexpr std::array once{name("tkhd"), name("edts"), name("elst"), name("mdia"),
                            name("mdhd"), name("minf"), name("stbl"), name("stsd"),
                            name("stts"), name("stsz"), name("stsc"), name("stco")};
  for (std::size_t i = 0; i < once.size(); ++i) {
    if (box != once[i]) continue;
    const bool first = (seen_ >> i & 1) == 0;
    seen_ |= 1U << i;
    return first;
  }
  return true;
}

bool track::is_other() const {
  if (is_video() || descriptions == 0) return true;
  return std::find(other_formats.begin(), other_formats.end(), format) != other_formats.end();
}

bool track::open(std::uint32_t movie_timescale, bool has_fragments) {
  const auto ordinary = [](std::uint32_t ticks) {
    return ticks > 0 && ticks <= most_ticks_a_second;
  };
  if (!ordinary(timescale) || !ordinary(movie_timescale) || descriptions != 1) return false;
  auto codec = described.make_codec();
  const auto whole_chunks = described.whole_chunks();
  if (codec == nullptr || !samples.is_ordinary(whole_chunks)) return false;
  // FFmpeg would read the chunks of such a track as PCM.
  if (!whole_chunks && samples.lasts_one_tick_each()) return false;
  reader_ = std::make_unique<sample_reader>(std::move(codec), whole_chunks);
  shown_ = {edits, timescale, movie_timescale, !has_fragments};
  return true;
}

void track::begin_fragment() {
  if (reader_ == nullptr || !reader_->has_read(samples)) return;
  samples.clear();
  reader_->restart_index();
}

void track::read(std::uint64_t position, std::string_view piece) {
  if (reader_ != nullptr) reader_->write(samples, shown_, position, piece);
}

void track::finish() {
  if (reader_ != nullptr) reader_->finish(shown_);
}

void track::begin_again() {
  if (reader_ == nullptr) return;
  reader_ = std::make_unique<sample_reader>(described.make_codec(), described.whole_chunks());
}

duration track::claimed(std::uint64_t bytes) const {
  duration out;
  sample_index::cursor at;
  const auto whole_chunks = described.whole_chunks();
  while (const auto found = at.next(samples, whole_chunks)) {
    if (found->offset >= bytes) break;
    const auto length = duration::of_samples(found->ticks, std::max(timescale, 1U));
    out += shown_.edits.shown(length, *found, true, shown_.timescale, shown_.movie_timescale);
  }
  return out;
}

}  // namespace tollgate::routes::meters::mp4
