#include "routes/meters/mp4/sample_reader.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::routes::meters::mp4 {

sample_reader::sample_reader(std::unique_ptr<packet_codec> codec,
                             std::optional<packing> whole_chunks)
    : codec_{std::move(codec)}, whole_chunks_{whole_chunks} {}

bool sample_reader::open_next(const sample_index& index) {
  if (is_open_) return true;
  const auto found = cursor_.next(index, whole_chunks_);
  is_open_ = found.has_value();
  if (!is_open_) return false;
  open_ = *found;
  divisible_ = whole_chunks_ && index.lasts_one_tick_each();
  taken_ = 0;
  gathered_ = 0;
  begun_ = false;
  length_ = {};
  return true;
}

bool sample_reader::has_read(const sample_index& index) const {
  auto from_here = cursor_;
  return !is_open_ && !from_here.next(index, whole_chunks_);
}

void sample_reader::write(const sample_index& index, const presentation& shown,
                          std::uint64_t position, std::string_view piece) {
  const auto end = position + piece.size();
  while (open_next(index)) {
    const auto next = open_.offset + taken_;
    if (next < position) {
      missed_ = true;
      is_open_ = false;
      continue;
    }
    if (next >= end) return;
    const auto bytes = std::min(open_.bytes - taken_, end - next);
    read(piece.substr(static_cast<std::size_t>(next - position), static_cast<std::size_t>(bytes)));
    taken_ += bytes;
    if (taken_ == open_.bytes) end_sample(shown);
  }
}

void sample_reader::read(std::string_view bytes) {
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(codec_->head_bytes(), open_.bytes));
  if (!begun_) {
    const auto n = std::min(wanted - gathered_, bytes.size());
    std::copy_n(bytes.begin(), n, head_.begin() + static_cast<std::ptrdiff_t>(gathered_));
    gathered_ += n;
    if (gathered_ < wanted) return;
    begin_packet();
    bytes.remove_prefix(n);
  }
  if (codec_->reads_bodies()) length_ += codec_->body(bytes);
}

void sample_reader::begin_packet() {
  begun_ = true;
  const std::string_view head{head_.data(), gathered_};
  length_ += codec_->begin(head, open_.bytes);
  if (codec_->reads_bodies()) length_ += codec_->body(head);
}

void sample_reader::end_sample(const presentation& shown) {
  is_open_ = false;
  played_ += shown.obeys_edits ? shown.edits.shown(length_, open_, divisible_, shown.timescale,
                                                   shown.movie_timescale)
                               : length_;
  length_ = {};
}

void sample_reader::finish(const presentation& shown) {
  const bool is_broken_off = is_open_ && taken_ > 0;
  if (is_broken_off && !begun_) begin_packet();
  length_ += codec_->finish();
  if (is_broken_off) {
    if (divisible_) open_.ticks = scale(open_.ticks, taken_, open_.bytes);
    end_sample(shown);
  }
  played_ += std::exchange(length_, {});  // the codec reports these samples late
}

}  // namespace tollgate::routes::meters::mp4
