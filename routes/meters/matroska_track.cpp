#include "routes/meters/matroska_track.hpp"

#include <utility>

namespace tollgate::routes::meters {
namespace {

duration of_nanoseconds(std::uint64_t ns) {
  return duration::of_samples(ns, 1'000'000'000);
}

}  // namespace

matroska_track::matroska_track(const track_entry& entry, std::unique_ptr<packet_codec> codec)
    : number_{entry.number},
      codec_{std::move(codec)},
      stripped_{entry.stripped_header},
      delay_{codec_delay(entry)} {}

std::size_t matroska_track::head_bytes(std::uint64_t frame_bytes) const {
  const auto wanted = codec_->head_bytes();
  const auto missing = wanted - std::min(wanted, stripped_.size());
  return static_cast<std::size_t>(std::min<std::uint64_t>(missing, frame_bytes));
}

void matroska_track::begin_frame(std::string_view head, std::uint64_t frame_bytes) {
  if (stripped_.empty()) {
    block_ += codec_->begin(head, frame_bytes);
    return;
  }
  const auto whole = stripped_ + std::string{head};
  block_ += codec_->begin(std::string_view{whole}.substr(0, codec_->head_bytes()),
                          stripped_.size() + frame_bytes);
  frame_piece(stripped_);
}

void matroska_track::end_block() {
  counted_ += block_;
  last_block_ = block_;
  discarded_ = {};
}

// RFC 9559, section 5.1.3.5.7. Decoders ignore the value if the block is shorter than what it
// discards. Only the value of the last block counts: elsewhere it is not allowed, and decoders
// disagree.
void matroska_track::set_discard_padding(std::int64_t ns) {
  if (ns <= 0) return;
  const auto padding = of_nanoseconds(static_cast<std::uint64_t>(ns));
  discarded_ = padding <= last_block_ ? padding : duration{};
}

void matroska_track::end_document() {
  counted_ -= discarded_;
  discarded_ = {};
}

void matroska_track::finish() {
  counted_ += codec_->finish();
}

bool matroska_tracks::add(const track_entry& entry) {
  // As in ffmpeg, the first track with a number keeps it.
  if (has(entry.number)) return true;
  if (entries_.size() == most_tracks) return false;
  // ffmpeg parses ProRes.
  const bool is_plain = entry.encodings == 0 && entry.codec_id != "V_PRORES";
  entries_.push_back({entry.number, entry.type == track_entry::video && is_plain});
  if (entry.type != track_entry::audio) return true;
  auto codec = make_codec(entry);
  if (codec == nullptr) return false;
  tracks_.emplace_back(entry, std::move(codec));
  latest_ = nullptr;
  return true;
}

const matroska_tracks::known_entry* matroska_tracks::entry_of(std::uint64_t number) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [number](const auto& each) { return each.number == number; });
  return found == entries_.end() ? nullptr : &*found;
}

bool matroska_tracks::is_plain_video(std::uint64_t number) const {
  const auto* entry = entry_of(number);
  return entry != nullptr && entry->is_plain_video;
}

matroska_track* matroska_tracks::find(std::uint64_t number) {
  const auto found = std::find_if(tracks_.begin(), tracks_.end(),
                                  [number](const auto& each) { return each.number() == number; });
  return found == tracks_.end() ? nullptr : &*found;
}

duration matroska_tracks::longest() const {
  duration longest;
  for (const auto& track : tracks_) longest = std::max(longest, track.measured());
  return longest;
}

bool matroska_tracks::is_unclear() const {
  return std::any_of(tracks_.begin(), tracks_.end(),
                     [](const auto& track) { return track.is_unclear(); });
}

void matroska_tracks::end_document() {
  for (auto& track : tracks_) track.end_document();
}

void matroska_tracks::finish() {
  for (auto& track : tracks_) track.finish();
}

}  // namespace tollgate::routes::meters
