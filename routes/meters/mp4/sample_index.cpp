#include "routes/meters/mp4/sample_index.hpp"

namespace tollgate::routes::meters::mp4 {

void sample_index::add_durations(std::uint32_t samples, std::uint32_t ticks_each) {
  ++duration_runs_;
  one_tick_ = ticks_each == 1;
  durations_.add(samples, ticks_each);
}

// A run ends where the next one begins; the last one extends to the end.
bool sample_index::add_chunk_run(std::uint32_t first_chunk, std::uint32_t samples_each) {
  const bool first = named_chunk_ == 0;
  if (samples_each == 0 || first_chunk <= named_chunk_ || (first && first_chunk != 1)) return false;
  if (!first) chunk_lengths_.add(first_chunk - named_chunk_, samples_a_chunk_);
  named_chunk_ = first_chunk;
  samples_a_chunk_ = samples_each;
  return true;
}

void sample_index::add_fragment_run(std::uint64_t offset, std::uint32_t samples) {
  // stsc applies to the movie's chunks before its fragments.
  if (offsets_.size() > chunk_lengths_.total())
    chunk_lengths_.add(static_cast<std::uint32_t>(offsets_.size() - chunk_lengths_.total()),
                       samples_a_chunk_);
  offsets_.push_back(offset);
  chunk_lengths_.add(1, samples);
  duration_runs_ = 2;  // fragments are never packed
}

void sample_index::clear() {
  sizes_.clear();
  durations_.clear();
  chunk_lengths_.clear();
  offsets_.clear();
}

std::size_t sample_index::entries() const {
  return sizes_.entries() + durations_.entries() + chunk_lengths_.entries() + offsets_.size();
}

bool sample_index::is_ordinary(const std::optional<packing>& whole_chunks) const {
  // Chunk by chunk, even if a codec reads samples one by one.
  const auto pieces = whole_chunks.value_or(packing{1, 0});
  cursor at;
  std::uint64_t end = 0, bytes = 0;
  while (const auto chunk = at.next(*this, pieces)) {
    if (chunk->offset < end) return false;
    end = add(chunk->offset, chunk->bytes);
    bytes = add(bytes, chunk->bytes);
    if (end > saturated / 2) return false;
  }
  runs::cursor all;
  const bool by_sizes = pieces.bytes == 0 || !lasts_one_tick_each();
  return !by_sizes || bytes == all.pass(sizes_, sizes_.total());
}

// --- Iteration

bool sample_index::cursor::open_chunk(const sample_index& in) {
  while (left_in_chunk_ == 0) {
    if (chunk_ == in.offsets_.size()) return false;
    offset_ = in.offsets_[chunk_++];
    const bool told = !chunk_lengths_.at_end(in.chunk_lengths_);
    left_in_chunk_ = told ? chunk_lengths_.value(in.chunk_lengths_) : in.samples_a_chunk_;
    chunk_lengths_.pass(in.chunk_lengths_, 1);
  }
  return true;
}

extent sample_index::cursor::take(const sample_index& in, std::uint64_t samples) {
  extent out{offset_, sizes_.pass(in.sizes_, samples), tick_, 0};
  out.ticks = durations_.pass(in.durations_, samples);
  left_in_chunk_ -= samples;
  offset_ = add(offset_, out.bytes);
  tick_ = add(tick_, out.ticks);
  return out;
}

extent sample_index::cursor::take_packed(const sample_index& in, const packing& pieces) {
  const auto samples = left_in_chunk_;
  auto out = take(in, samples);
  out.bytes = multiply((samples + pieces.samples - 1) / pieces.samples, pieces.bytes);
  return out;
}

std::optional<extent> sample_index::cursor::next(const sample_index& in,
                                                 const std::optional<packing>& whole_chunks) {
  while (open_chunk(in)) {
    const bool packed = whole_chunks && whole_chunks->bytes > 0 && in.lasts_one_tick_each();
    if (packed) return take_packed(in, *whole_chunks);
    if (sizes_.at_end(in.sizes_)) return {};
    const bool empty = sizes_.value(in.sizes_) == 0;
    // Samples without bytes are skipped together: there may be billions of them.
    const auto samples = whole_chunks ? left_in_chunk_
                         : empty      ? std::min(left_in_chunk_, sizes_.alike(in.sizes_))
                                      : 1;
    const auto found = take(in, samples);
    if (found.bytes > 0) return found;
  }
  return {};
}

}  // namespace tollgate::routes::meters::mp4
