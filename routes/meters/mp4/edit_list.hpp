// The part of a track that an edit list (ISO/IEC 14496-12, 8.6.6) shows. In ordinary files this is
// one segment.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "routes/meters/duration.hpp"
#include "routes/meters/mp4/sample_index.hpp"

namespace tollgate::routes::meters::mp4 {

class edit_list {
 public:
  // False for lists that ordinary encoders do not write, that is, for more than initial silence and
  // one segment at normal speed. A list could repeat the media any number of times.
  [[nodiscard]] bool add(std::uint64_t movie_ticks, std::int64_t media_time, std::uint32_t rate) {
    constexpr std::uint32_t own_speed = 0x10000;
    constexpr std::int64_t nothing = -1;
    if (rate != own_speed || has_stretch_ || media_time < nothing) return false;
    if (media_time == nothing) return !std::exchange(has_silence_, true);
    has_stretch_ = true;
    begin_ = static_cast<std::uint64_t>(media_time);
    movie_ticks_ = movie_ticks;
    return true;
  }

  // The part of `length` that is shown, if the extent plays that long. Decoders play whole access
  // units, except for the first one shown, whose start they omit.
  duration shown(duration length, const extent& of, bool divisible, std::uint32_t timescale,
                 std::uint32_t movie_timescale) const {
    if (!has_stretch_) return length;
    const auto first = of.first_tick, last = add_ticks(first, of.ticks);
    const auto end = movie_ticks_ == 0
                         ? saturated
                         : add_ticks(begin_, rounded(movie_ticks_, timescale, movie_timescale));
    if (first >= end || (first < begin_ && last <= begin_)) return {};
    if (of.ticks == 0) return length;
    if (divisible) return part(length, std::min(last, end) - std::max(first, begin_), of.ticks);
    if (first >= begin_) return length;
    return length - std::min(part(length, begin_ - first, of.ticks), most_left_out);
  }

 private:
  // Decoders omit one sample per tick. No ordinary access unit is longer than this.
  static constexpr duration most_left_out = duration::of_samples(1, 4);

  static std::uint64_t add_ticks(std::uint64_t a, std::uint64_t b) { return mp4::add(a, b); }
  static std::uint64_t rounded(std::uint64_t ticks, std::uint32_t to, std::uint32_t from) {
    return scale(mp4::add(multiply(ticks, 2), from / std::max(to, 1U)), to,
                 std::uint64_t{from} * 2);
  }
  static duration part(duration of, std::uint64_t n, std::uint64_t all) {
    const auto flicks = static_cast<std::uint64_t>(of.flicks());
    return duration::from_flicks(static_cast<std::int64_t>(scale(flicks, n, all)));
  }

  bool has_silence_ = false, has_stretch_ = false;
  std::uint64_t begin_ = 0, movie_ticks_ = 0;
};

}  // namespace tollgate::routes::meters::mp4
