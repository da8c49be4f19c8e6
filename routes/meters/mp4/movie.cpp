#include "routes/meters/mp4/movie.hpp"

#include <algorithm>

#include "routes/meters/mp4/box_rules.hpp"

namespace tollgate::routes::meters::mp4 {
namespace {

constexpr layout boxes_behind(std::uint64_t head) {
  return {layout::kind::boxes, head, 0, 0};
}

// The box is too short for its mandatory fields: decoders would read them from the bytes after it.
bool lacks_fields(fourcc type, std::size_t content, std::size_t fields) {
  // In these boxes some fields are optional; their readers check for themselves.
  for (const auto varying :
       {name("free"), name("skip"), name("hoov"), name("meta"), name("tfhd"), name("trun")})
    if (type == varying) return false;
  return content < fields;
}

}  // namespace

const std::array<movie::known_box, 24> movie::known_boxes{{
    {name("moov"), 0, &movie::open_movie},
    {name("trak"), 0, &movie::open_track},
    {name("moof"), 0, &movie::open_fragment},
    {name("traf"), 0, &movie::open_track_fragment},
    {name("stsd"), 8, &movie::open_descriptions},
    {name("meta"), 12, &movie::open_metadata},
    {name("free"), 8, &movie::look_into_free_space},
    {name("skip"), 8, &movie::look_into_free_space},
    {name("hoov"), 8, &movie::look_into_free_space},
    {name("mvhd"), 24, &movie::read_mvhd},
    {name("tkhd"), 24, &movie::read_tkhd},
    {name("mdhd"), 24, &movie::read_mdhd},
    {name("hdlr"), 12, &movie::read_hdlr},
    {name("elst"), 8, &movie::read_elst},
    {name("stts"), 8, &movie::read_stts},
    {name("ctts"), 8, &movie::read_ctts},
    {name("stsc"), 8, &movie::read_stsc},
    {name("stsz"), 12, &movie::read_stsz},
    {name("stz2"), 12, &movie::read_stz2},
    {name("stco"), 8, &movie::read_stco},
    {name("co64"), 8, &movie::read_stco},
    {name("trex"), 24, &movie::read_trex},
    {name("tfhd"), 32, &movie::read_tfhd},
    {name("trun"), 16, &movie::read_trun},
}};

const movie::known_box* movie::find_box(fourcc type) {
  const auto* found = std::find_if(known_boxes.begin(), known_boxes.end(),
                                   [type](const known_box& known) { return known.type == type; });
  return found == known_boxes.end() ? nullptr : found;
}

std::size_t movie::head_size(fourcc type, fourcc parent) {
  if (parent == name("stsd")) return sample_description::longest_head;
  const auto* known = find_box(type);
  return known != nullptr ? known->head_size : longest_head;
}

layout movie::read(const box& opened, const box_path& path, std::string_view head) {
  if (path.parent() == name("stsd")) return open_description(opened.type, head);
  switch (place_of(opened.type, path)) {
    case box_place::of_no_interest:
      return skipped;
    case box_place::wrong:
      return refuse();
    case box_place::container:
    case box_place::read:
      break;
  }
  const bool in_track = !tracks_.empty() && path.is_inside(name("trak"));
  if (in_track && !tracks_.back()->is_first(opened.type)) return refuse();
  if (path.is_inside(name("stsd")))
    return opened.type == name("wave") ? boxes_behind(0) : read_config(opened, path, head);
  const auto* known = find_box(opened.type);
  if (known == nullptr) return boxes_behind(0);
  if (lacks_fields(known->type, head.size(), known->head_size)) return refuse();
  return (this->*known->read)(opened, path, head);
}

// --- The structure of a movie

layout movie::open_movie(const box& moov, const box_path&, std::string_view) {
  if (movie_end_ != 0) return refuse();  // a second one: some readers use it instead
  movie_end_ = moov.end;
  return boxes_behind(0);
}

layout movie::open_track(const box&, const box_path&, std::string_view) {
  fragment_of_ = nullptr;
  close_track();
  if (tracks_.size() == most_audio_tracks || ++tracks_begun_ > most_tracks) return refuse();
  tracks_.push_back(std::make_unique<track>());
  return boxes_behind(0);
}

// Drops tracks that are not audio. An unknown kind of track or an unknown audio codec is refused:
// another reader could play it.
void movie::close_track() {
  if (tracks_.empty() || tracks_.back()->is_open()) return;
  const auto& last = *tracks_.back();
  if (last.is_other()) return tracks_.pop_back();
  if (last.described.codec().empty() || last.has_odd_edits) unclear_ = true;
  kept_entries_ += last.samples.entries();
}

// Everything before a fragment has passed, unless the writer put the heads of all fragments first.
// A movie that does not announce fragments has none: its index may be needed for a second reading.
layout movie::open_fragment(const box& moof, const box_path&, std::string_view) {
  if (!extends_.empty())
    for (const auto& each : tracks_) each->begin_fragment();
  moof_begin_ = fragment_base_ = run_offset_ = moof.begin;
  fragment_of_ = nullptr;
  return boxes_behind(0);
}

layout movie::open_track_fragment(const box&, const box_path&, std::string_view) {
  has_fragment_head_ = false;
  fragment_of_ = nullptr;
  return boxes_behind(0);
}

// A writer that reserves space for the index marks the box as free until it is complete; some
// readers look there.
layout movie::look_into_free_space(const box&, const box_path&, std::string_view head) {
  const auto inside = u32(head, 4);
  const bool is_index = inside == name("moov") || inside == name("mvhd") ||
                        inside == name("cmov") || inside == name("trak");
  return is_index ? refuse() : skipped;
}

// In ISO files a version precedes the boxes, in QuickTime files it does not. Some readers search
// content with any other start for boxes.
layout movie::open_metadata(const box& meta, const box_path&, std::string_view head) {
  if (u32(head, 4) == name("hdlr")) return boxes_behind(0);
  if (u32(head, 8) == name("hdlr")) return boxes_behind(4);
  return meta.end - meta.begin < 24 ? skipped : refuse();
}

layout movie::open_descriptions(const box&, const box_path&, std::string_view head) {
  if (tracks_.empty()) return refuse();
  stsd_version_ = u8(head, 0);
  tracks_.back()->descriptions = u32(head, 4);
  return tracks_.back()->is_video() ? skipped : boxes_behind(8);
}

layout movie::open_description(fourcc format, std::string_view head) {
  auto& track = *tracks_.back();
  // The handler must come first; further descriptions are not read.
  if (track.handler == 0 || track.format != 0) return refuse();
  track.format = format;
  track.described = sample_description{format, head, stsd_version_};
  if (track.described.codec().empty()) return skipped;
  const auto fields = track.described.head_size();
  return head.size() < fields ? refuse() : boxes_behind(fields);
}

layout movie::read_config(const box& config, const box_path&, std::string_view head) {
  tracks_.back()->described.configure(config.type, head);
  return skipped;
}

// --- Headers

layout movie::read_mvhd(const box&, const box_path&, std::string_view head) {
  if (timescale_ || tracks_begun_ > 0) return refuse();
  timescale_ = u32(head, u8(head, 0) == 1 ? 20 : 12);
  return skipped;
}

layout movie::read_tkhd(const box&, const box_path&, std::string_view head) {
  tracks_.back()->id = u32(head, u8(head, 0) == 1 ? 20 : 12);
  return skipped;
}

layout movie::read_mdhd(const box&, const box_path&, std::string_view head) {
  tracks_.back()->timescale = u32(head, u8(head, 0) == 1 ? 20 : 12);
  return skipped;
}

// QuickTime has a second one for the data handler, and metadata have their own. Some readers apply
// each of them to the last track.
layout movie::read_hdlr(const box&, const box_path& path, std::string_view head) {
  const auto handler = u32(head, 8);
  if (handler == name("m1a ")) return refuse();
  if (path.parent() != name("mdia"))
    return handler == name("soun") || handler == name("vide") ? refuse() : skipped;
  auto& track = *tracks_.back();
  if (track.handler != 0 || track.format != 0) return refuse();
  track.handler = handler == 0 ? name("    ") : handler;
  return skipped;
}

// --- Samples

void movie::pass(std::uint64_t position) {
  if (movie_is_read_ || movie_end_ == 0 || position < movie_end_) return;
  movie_is_read_ = true;
  read_from_ = movie_end_;
  close_track();
  const bool has_fragments = !extends_.empty();
  for (const auto& each : tracks_) {
    if (!each->open(timescale_.value_or(0), has_fragments)) unclear_ = true;
    each->read(read_from_, {});  // notices passed samples even if nothing follows
  }
}

void movie::read_samples(std::uint64_t position, std::string_view piece) {
  if (!movie_is_read_ || position + piece.size() <= read_from_) return;
  const auto passed = position < read_from_ ? read_from_ - position : 0;
  piece.remove_prefix(static_cast<std::size_t>(passed));
  for (const auto& each : tracks_) each->read(position + passed, piece);
}

void movie::finish_samples() {
  for (const auto& each : tracks_) each->finish();
}

bool movie::missed_some() const {
  return std::any_of(tracks_.begin(), tracks_.end(),
                     [](const auto& each) { return each->missed_some(); });
}

void movie::begin_again() {
  read_from_ = 0;
  for (const auto& each : tracks_) each->begin_again();
}

// --- Results

std::size_t movie::memory() const {
  std::size_t entries = 0;
  for (const auto& each : tracks_) entries += each->samples.entries();
  return entries * entry_bytes;
}

bool movie::is_unclear() const {
  // The runs of fragments are consecutive and are read once.
  if (unclear_ || (!extends_.empty() && missed_some())) return true;
  return std::any_of(tracks_.begin(), tracks_.end(),
                     [](const auto& each) { return each->is_unclear(); });
}

const track* movie::first_audio() const {
  for (const auto& each : tracks_)
    if (each->is_open()) return each.get();
  return nullptr;
}

std::string_view movie::codec() const {
  const auto* first = first_audio();
  return first == nullptr ? std::string_view{} : first->described.codec();
}

duration movie::longest() const {
  duration out;
  for (const auto& each : tracks_) out = std::max(out, each->played());
  return out;
}

duration movie::longest_claimed(std::uint64_t bytes) const {
  duration out;
  for (const auto& each : tracks_) out = std::max(out, each->claimed(bytes));
  return out;
}

}  // namespace tollgate::routes::meters::mp4
