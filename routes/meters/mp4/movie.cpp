#include "routes/meters/mp4/movie.hpp"

#include <algorithm>

namespace tollgate::routes::meters::mp4 {
namespace {

constexpr layout skipped{};
constexpr layout boxes_behind(std::uint64_t head) {
  return {layout::kind::boxes, head, 0, 0};
}

// Boxes that only hold others. Which stands in which is not asked: players do not ask either.
constexpr std::array containers{name("moov"), name("mdia"), name("minf"), name("stbl"),
                                name("edts"), name("mvex"), name("traf"), name("udta"),
                                name("dinf"), name("wave")};

}  // namespace

const std::array<movie::known_box, 22> movie::known_boxes{{
    {name("trak"), 0, &movie::open_track},
    {name("moof"), 0, &movie::open_fragment},
    {name("stsd"), 8, &movie::open_descriptions},
    {name("free"), 8, &movie::look_into_free_space},
    {name("hoov"), 8, &movie::look_into_free_space},
    {name("mvhd"), 24, &movie::read_mvhd},
    {name("tkhd"), 24, &movie::read_tkhd},
    {name("mdhd"), 24, &movie::read_mdhd},
    {name("hdlr"), 12, &movie::read_hdlr},
    {name("esds"), longest_config, &movie::read_config},
    {name("dfLa"), longest_config, &movie::read_config},
    {name("alac"), longest_config, &movie::read_config},
    {name("elst"), 8, &movie::read_elst},
    {name("stts"), 8, &movie::read_stts},
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
  if (parent == name("stsd")) return longest_entry_head;
  const auto* known = find_box(type);
  return known == nullptr ? 0 : known->head_size;
}

layout movie::read(const box& opened, fourcc parent, std::string_view head) {
  if (parent == name("stsd")) return open_description(opened.type, head);
  if (std::find(containers.begin(), containers.end(), opened.type) != containers.end())
    return boxes_behind(0);
  const auto* known = find_box(opened.type);
  if (known == nullptr) return skipped;
  if (!tracks_.empty() && !tracks_.back()->is_first(opened.type)) unclear_ = true;
  return (this->*known->read)(opened, head);
}

// --- What a movie consists of

layout movie::open_track(const box&, std::string_view) {
  fragment_of_ = nullptr;
  if (!tracks_.empty() && !tracks_.back()->is_audio()) tracks_.pop_back();
  if (tracks_.size() == most_audio_tracks || ++tracks_begun_ > most_tracks) {
    unclear_ = true;
    return skipped;
  }
  tracks_.push_back(std::make_unique<track>());
  return boxes_behind(0);
}

// What came in front of a fragment has come, unless a writer has put all fragments' heads in front.
layout movie::open_fragment(const box& moof, std::string_view) {
  for (const auto& each : tracks_) each->settle(moof.begin);
  moof_begin_ = fragment_base_ = run_offset_ = moof.begin;
  fragment_of_ = nullptr;
  return boxes_behind(0);
}

// A writer that had reserved room for the index calls the box free until it is complete; some
// players look there.
layout movie::look_into_free_space(const box&, std::string_view head) {
  return u32(head, 4) == name("moov") ? boxes_behind(0) : skipped;
}

layout movie::open_descriptions(const box&, std::string_view head) {
  stsd_version_ = u8(head, 0);
  return boxes_behind(8);
}

layout movie::open_description(fourcc format, std::string_view head) {
  if (tracks_.empty()) return skipped;
  const auto entry = read_sample_entry(format, head, stsd_version_);
  tracks_.back()->add_description(entry.describes);
  return boxes_behind(entry.head_size);
}

layout movie::read_config(const box& config, std::string_view head) {
  if (!tracks_.empty()) read_decoder_config(config.type, head, tracks_.back()->described());
  return skipped;
}

// --- Headers

layout movie::read_mvhd(const box&, std::string_view head) {
  timescale_ = u32(head, u8(head, 0) == 1 ? 20 : 12);
  return skipped;
}

layout movie::read_tkhd(const box&, std::string_view head) {
  if (!tracks_.empty()) tracks_.back()->id = u32(head, u8(head, 0) == 1 ? 20 : 12);
  return skipped;
}

layout movie::read_mdhd(const box&, std::string_view head) {
  if (!tracks_.empty()) tracks_.back()->timescale = u32(head, u8(head, 0) == 1 ? 20 : 12);
  return skipped;
}

// QuickTime has a second one, of the data handler, that says neither.
layout movie::read_hdlr(const box&, std::string_view head) {
  const auto handler = u32(head, 8);
  if (!tracks_.empty() && (handler == name("soun") || handler == name("vide")))
    tracks_.back()->handler = handler;
  return skipped;
}

// --- Results

const track* movie::first_audio() const {
  for (const auto& each : tracks_)
    if (each->is_audio()) return each.get();
  return nullptr;
}

std::string_view movie::codec() const {
  const auto* first = first_audio();
  return first == nullptr ? std::string_view{} : first->codec();
}

duration movie::longest(std::uint64_t bytes) const {
  duration out;
  for (const auto& each : tracks_)
    if (each->is_audio()) out = std::max(out, each->length(bytes));
  return out;
}

duration movie::longest_edited(std::uint64_t bytes) const {
  duration out;
  for (const auto& each : tracks_)
    if (each->is_audio()) out = std::max(out, each->edited_length(bytes, timescale_));
  return out;
}

}  // namespace tollgate::routes::meters::mp4
