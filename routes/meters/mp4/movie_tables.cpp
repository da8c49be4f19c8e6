// The tables of a movie and of its fragments.
#include <algorithm>
#include <bit>

#include "routes/meters/mp4/movie.hpp"

namespace tollgate::routes::meters::mp4 {
namespace {

// tr_flags and tf_flags (ISO/IEC 14496-12, 8.8.7 and 8.8.8).
constexpr std::uint32_t base_data_offset = 0x1, sample_description_index = 0x2,
                        default_sample_duration = 0x8, default_sample_size = 0x10,
                        default_base_is_moof = 0x20000;
constexpr std::uint32_t data_offset = 0x1, first_sample_flags = 0x4, sample_duration = 0x100,
                        sample_size = 0x200, all_sample_fields = 0xF00;

std::uint32_t flags_of(std::string_view head) {
  return u32(head, 0) & 0xFFFFFF;
}

}  // namespace

// Tables of video tracks and of other kinds are not kept.
layout movie::table_of(entry_reader read, std::uint64_t head, std::uint64_t entries,
                       std::size_t size) {
  if (entries == 0) return skipped;
  read_entry_ = read;
  return {layout::kind::table, head, entries, size};
}

// A track's kind must be known before its tables.
movie::tables movie::tables_of_track() const {
  const auto& track = *tracks_.back();
  if (track.is_video()) return tables::skip;
  if (track.handler == 0 || track.format == 0) return tables::refuse;
  return track.described.codec().empty() ? tables::skip : tables::keep;
}

layout movie::sample_table(entry_reader read, std::uint64_t head, std::uint64_t entries,
                           std::size_t size) {
  switch (tables_of_track()) {
    case tables::keep:
      return table_of(read, head, entries, size);
    case tables::refuse:
      return refuse();
    case tables::skip:
      break;
  }
  return skipped;
}

void movie::read_entry(std::string_view entry) {
  (this->*read_entry_)(entry);
  if (kept_entries_ + tracks_.back()->samples.entries() > most_entries) unclear_ = true;
}

// --- The sample table (8.6 and 8.7)

layout movie::read_elst(const box&, const box_path&, std::string_view head) {
  return u8(head, 0) == 1 ? table_of(&movie::read_edit<8>, 8, u32(head, 4), 20)
                          : table_of(&movie::read_edit<4>, 8, u32(head, 4), 12);
}

template <std::size_t Width>
void movie::read_edit(std::string_view entry) {
  const auto written = read_be(entry, Width, Width);
  const auto media_time = Width == 8 ? static_cast<std::int64_t>(written)
                                     : std::int64_t{static_cast<std::int32_t>(written)};
  const auto rate = u32(entry, 2 * Width);
  if (tracks_.back()->edits.add(read_be(entry, 0, Width), media_time, rate)) return;
  // Harmless in a video track, but the track's kind is known only after its edits.
  tracks_.back()->has_odd_edits = true;
}

layout movie::read_stts(const box&, const box_path&, std::string_view head) {
  return sample_table(&movie::read_duration_run, 8, u32(head, 4), 8);
}
void movie::read_duration_run(std::string_view entry) {
  tracks_.back()->samples.add_durations(u32(entry, 0), u32(entry, 4));
}

// Audio plays in file order.
layout movie::read_ctts(const box&, const box_path&, std::string_view head) {
  const bool reorders = u32(head, 4) > 0 && tables_of_track() != tables::skip;
  return reorders ? refuse() : skipped;
}

layout movie::read_stsc(const box&, const box_path&, std::string_view head) {
  return sample_table(&movie::read_chunk_run, 8, u32(head, 4), 12);
}
void movie::read_chunk_run(std::string_view entry) {
  if (!tracks_.back()->samples.add_chunk_run(u32(entry, 0), u32(entry, 4))) unclear_ = true;
}

layout movie::read_stsz(const box&, const box_path&, std::string_view head) {
  const auto size_of_all = u32(head, 4), samples = u32(head, 8);
  if (size_of_all == 0) return sample_table(&movie::read_size, 12, samples, 4);
  if (tables_of_track() == tables::keep) tracks_.back()->samples.add_sizes(samples, size_of_all);
  return skipped;
}
layout movie::read_stz2(const box&, const box_path&, std::string_view head) {
  const auto bits = u8(head, 7);
  sizes_left_ = u32(head, 8);
  if (bits == 4) return sample_table(&movie::read_two_sizes, 12, (sizes_left_ + 1) / 2, 1);
  if (bits != 8 && bits != 16) return refuse();
  return sample_table(&movie::read_size, 12, sizes_left_, bits / 8);
}
void movie::read_size(std::string_view entry) {
  const auto size = static_cast<std::uint32_t>(read_be(entry, 0, entry.size()));
  tracks_.back()->samples.add_sizes(1, size);
}
void movie::read_two_sizes(std::string_view entry) {
  tracks_.back()->samples.add_sizes(1, u8(entry, 0) >> 4);
  if (sizes_left_ > 1) tracks_.back()->samples.add_sizes(1, u8(entry, 0) & 0xF);
  sizes_left_ -= std::min<std::uint64_t>(sizes_left_, 2);
}

layout movie::read_stco(const box& table, const box_path&, std::string_view head) {
  return sample_table(&movie::read_chunk, 8, u32(head, 4), table.type == name("co64") ? 8 : 4);
}
void movie::read_chunk(std::string_view entry) {
  tracks_.back()->samples.add_chunk(read_be(entry, 0, entry.size()));
}

// --- Fragments (8.8)

layout movie::read_trex(const box&, const box_path&, std::string_view head) {
  if (extends_.size() == most_tracks) return refuse();
  extends_.push_back({u32(head, 4), {u32(head, 12), u32(head, 16)}});
  return skipped;
}

const sample_defaults* movie::defaults_of(std::uint32_t track_id) const {
  for (const auto& each : extends_)
    if (each.track_id == track_id) return &each.defaults;
  return nullptr;
}

layout movie::read_tfhd(const box&, const box_path&, std::string_view head) {
  const auto flags = flags_of(head), track_id = u32(head, 4);
  const auto* defaults = defaults_of(track_id);
  if (has_fragment_head_ || defaults == nullptr || !movie_is_read_) return refuse();
  has_fragment_head_ = true;
  fragment_of_ = nullptr;
  for (const auto& each : tracks_)
    if (each->id == track_id && fragment_of_ == nullptr) fragment_of_ = each.get();
  fragment_defaults_ = *defaults;
  std::size_t at = 8;
  if ((flags & default_base_is_moof) != 0) run_offset_ = moof_begin_;
  if ((flags & base_data_offset) != 0) {
    run_offset_ = u64(head, at);
    at += 8;
  }
  fragment_base_ = run_offset_;
  if ((flags & sample_description_index) != 0) at += 4;
  if ((flags & default_sample_duration) != 0) {
    fragment_defaults_.duration = u32(head, at);
    at += 4;
  }
  if ((flags & default_sample_size) != 0) {
    fragment_defaults_.size = u32(head, at);
    at += 4;
  }
  return head.size() < at ? refuse() : skipped;
}

layout movie::read_trun(const box& run, const box_path&, std::string_view head) {
  if (!has_fragment_head_) return refuse();
  if (fragment_of_ == nullptr) return skipped;
  run_flags_ = flags_of(head);
  const auto samples = u32(head, 4);
  std::size_t at = 8;
  if ((run_flags_ & data_offset) != 0) {
    const auto offset = static_cast<std::int32_t>(u32(head, at));
    const auto distance = static_cast<std::uint64_t>(std::abs(std::int64_t{offset}));
    run_offset_ = offset >= 0                 ? add(fragment_base_, distance)
                  : distance < fragment_base_ ? fragment_base_ - distance
                                              : 0;
    at += 4;
  }
  if ((run_flags_ & first_sample_flags) != 0) at += 4;
  if (head.size() < at) return refuse();
  // The bytes have already passed: no writer puts them before their description.
  if (run_offset_ < run.end && samples > 0) return refuse();
  fragment_of_->samples.add_fragment_run(run_offset_, samples);
  const auto fields = std::popcount(run_flags_ & all_sample_fields);
  if (fields == 0) {
    add_run_samples(samples, fragment_defaults_);
    return skipped;
  }
  return table_of(&movie::read_run_sample, at, samples, static_cast<std::size_t>(fields) * 4);
}

void movie::read_run_sample(std::string_view entry) {
  auto sample = fragment_defaults_;
  std::size_t at = 0;
  if ((run_flags_ & sample_duration) != 0) {
    sample.duration = u32(entry, at);
    at += 4;
  }
  if ((run_flags_ & sample_size) != 0) sample.size = u32(entry, at);
  add_run_samples(1, sample);
}

void movie::add_run_samples(std::uint32_t count, const sample_defaults& each) {
  fragment_of_->samples.add_durations(count, each.duration);
  fragment_of_->samples.add_sizes(count, each.size);
  run_offset_ = add(run_offset_, multiply(count, each.size));
  if (kept_entries_ + fragment_of_->samples.entries() > most_entries) unclear_ = true;
}

}  // namespace tollgate::routes::meters::mp4
