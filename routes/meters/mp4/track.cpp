#include "routes/meters/mp4/track.hpp"

#include <algorithm>
#include <array>

namespace tollgate::routes::meters::mp4 {
bool track::is_first(fourcc box) {
  // The forms in which a table may be written exclude each other.
  if (box == name("stz2")) box = name("stsz");
  if (box == name("co64")) box = name("stco");
  constexpr std::array once{name("tkhd"), name("mdhd"), name("stsd"), name("stts"),
                            name("stsz"), name("stsc"), name("stco"), name("elst")};
  for (std::size_t i = 0; i < once.size(); ++i) {
    if (box != once[i]) continue;
    const bool first = (seen_ >> i & 1) == 0;
    seen_ |= 1U << i;
    return first;
  }
  return true;
}

void track::add_edit(std::uint64_t movie_ticks, std::uint64_t media_time) {
  if (edits_++ == 0) media_time_ = media_time;
  shown_movie_ticks_ = add(shown_movie_ticks_, movie_ticks);
  shown_to_the_end_ = shown_to_the_end_ || movie_ticks == 0;
}

void track::add_description(const codec_description& more) {
  if (descriptions_++ > 0)
    earlier_ = bounds();
  else
    samples.set_sample_size(more.sample_size);
  described_ = more;
}

codec_description track::bounds() const {
  if (descriptions_ <= 1 || earlier_.codec.empty()) return described_;
  const auto least = [](const codec_description& of) {
    return duration::of_samples(of.least, of.rate);
  };
  auto out = least(described_) > least(earlier_) ? described_ : earlier_;
  out.codec = earlier_.codec;
  out.most = any_number;
  return out;
}

void track::settle(std::uint64_t bytes) {
  const auto claimed = samples.claimed();
  if (samples.within(bytes).samples < claimed.samples) return;
  settled_ += claimed;
  samples.clear();
}

duration track::length_of(const sample_sum& sum) const {
  if (sum.bytes == 0) return {};
  const auto ticks_a_second = std::max(timescale, 1U);
  const auto said = duration::of_samples(sum.ticks, ticks_a_second);
  const auto codec = bounds();
  const auto rate = codec.rate > 0 ? codec.rate : ticks_a_second;
  const auto frames = codec.most_bytes_a_frame == 0
                          ? sum.samples
                          : std::max(sum.samples, sum.bytes / codec.most_bytes_a_frame);
  const auto least = duration::of_samples(multiply(frames - 1, codec.least), rate);
  const auto most = duration::of_samples(multiply(frames, codec.most), rate);
  return std::clamp(said, least, most);
}

duration track::length(std::uint64_t bytes) const {
  auto sum = settled_;
  sum += samples.within(bytes);
  return length_of(sum);
}

duration track::edited_length(std::uint64_t bytes, std::uint32_t movie_timescale) const {
  auto shown = length(bytes);
  if (edits_ == 0 || fragmented_) return shown;
  if (edits_ == 1) shown -= duration::of_samples(media_time_, std::max(timescale, 1U));
  const auto segments = duration::of_samples(shown_movie_ticks_, std::max(movie_timescale, 1U));
  return shown_to_the_end_ ? shown : std::min(shown, segments);
}

}  // namespace tollgate::routes::meters::mp4
