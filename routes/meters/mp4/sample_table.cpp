#include "routes/meters/mp4/sample_table.hpp"

#include <algorithm>

namespace tollgate::routes::meters::mp4 {

void sample_table::add_durations(std::uint64_t samples, std::uint64_t ticks_each) {
  durations_.add_run(samples, ticks_each);
}

void sample_table::add_sizes(std::uint64_t samples, std::uint64_t bytes_each) {
  sizes_.add_run(samples, bytes_each);
}

// How far a run reaches is told by the next one; the last reaches to the end, as an outline does.
bool sample_table::add_chunk_run(std::uint64_t first_chunk, std::uint64_t samples_each) {
  const bool first = named_chunk_ == 0;
  if (samples_each == 0 || first_chunk <= named_chunk_ || (first && first_chunk != 1)) return false;
  if (!first) chunk_lengths_.add_run(first_chunk - named_chunk_, samples_a_chunk_);
  named_chunk_ = first_chunk;
  samples_a_chunk_ = samples_each;
  return true;
}

void sample_table::add_chunk(std::uint64_t offset) {
  const auto last = offsets_.end().y;
  in_order_ = in_order_ && offset >= last;
  offsets_.add_run(1, offset >= last ? offset - last : 0);
}

void sample_table::add_run(std::uint64_t offset, std::uint64_t samples) {
  // Whatever stsc said holds for the chunks of the movie in front of its fragments.
  const auto chunks = offsets_.end().x;
  if (chunk_lengths_.end().x < chunks)
    chunk_lengths_.add_run(chunks - chunk_lengths_.end().x, samples_a_chunk_);
  add_chunk(offset);
  chunk_lengths_.add_run(1, samples);
}

void sample_table::clear() {
  durations_.clear();
  sizes_.clear();
  chunk_lengths_.clear();
  offsets_.clear();
  in_order_ = true;
}

std::uint64_t sample_table::bytes_of(std::uint64_t samples) const {
  return sample_size_ > 0 ? multiply(samples, sample_size_) : sizes_.y_at(samples);
}

std::uint64_t sample_table::samples_in(std::uint64_t bytes) const {
  return sample_size_ > 0 ? bytes / sample_size_ : sizes_.x_at(bytes);
}

std::uint64_t sample_table::samples_before(std::uint64_t chunk) const {
  const auto told = chunk_lengths_.end();
  if (chunk <= told.x) return chunk_lengths_.y_at_most(chunk);
  return add(told.y, multiply(chunk - told.x, samples_a_chunk_));
}

std::uint64_t sample_table::claimed_samples() const {
  const auto in_chunks = samples_before(offsets_.end().x);
  return sample_size_ > 0 ? in_chunks : std::min(in_chunks, sizes_.end().x);
}

// All chunks before the last that has begun are there, and of that one what fits into the bytes
// from its beginning. That asks for chunks in the order of their offsets, which is how everybody
// writes them. Others are taken as if they stood one after the other.
std::uint64_t sample_table::samples_within(std::uint64_t bytes) const {
  if (!in_order_) return samples_in(bytes);
  const auto [begun, not_begun] = offsets_.certain_around(bytes);
  if (begun.x == 0) return 0;
  const auto before = samples_before(begun.x - 1);
  const auto found = samples_in(add(bytes_of(before), bytes - begun.y));
  const bool all_begun = begun.x == not_begun.x;
  return std::min(found, samples_before(all_begun ? begun.x : not_begun.x - 1));
}

sample_sum sample_table::sum_of(std::uint64_t samples) const {
  return {samples, bytes_of(samples), durations_.y_at(samples)};
}

sample_sum sample_table::claimed() const {
  return sum_of(claimed_samples());
}

sample_sum sample_table::within(std::uint64_t bytes) const {
  return sum_of(std::min(samples_within(bytes), claimed_samples()));
}

}  // namespace tollgate::routes::meters::mp4
