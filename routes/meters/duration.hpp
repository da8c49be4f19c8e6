// A duration of audio, exact for every common sampling rate.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace tollgate::routes::meters {

// Counted in flicks, 1/705,600,000 s. The sampling rates 8, 11.025, 12, 16, 22.05, 24, 32, 44.1,
// 48, 88.2, 96, 176.4 and 192 kHz all divide it, so sums of frames do not drift. Other rates are
// accurate to one flick. Values saturate at the maximum (over 400 years) instead of overflowing.
class duration {
 public:
  static constexpr std::int64_t flicks_per_second = 705'600'000;

  constexpr duration() = default;
  static constexpr duration from_flicks(std::int64_t flicks) { return duration{flicks}; }
  static constexpr duration from_seconds(std::int64_t seconds) {
    return of_samples(static_cast<std::uint64_t>(seconds), 1);
  }

  // `samples` at `rate` per second, rounded down to a flick. Zero for a rate of 0.
  static constexpr duration of_samples(std::uint64_t samples, std::uint64_t rate) {
    if (rate == 0) return {};
    const auto flicks = static_cast<unsigned __int128>(samples) * flicks_per_second / rate;
    return duration{flicks > most ? most : static_cast<std::int64_t>(flicks)};
  }

  static constexpr duration times(duration one, std::uint64_t n) {
    const auto flicks = static_cast<unsigned __int128>(n) * static_cast<std::uint64_t>(one.flicks_);
    return duration{flicks > most ? most : static_cast<std::int64_t>(flicks)};
  }

  constexpr std::int64_t flicks() const { return flicks_; }

  // Rounded up: a microsecond that has begun counts as used.
  constexpr std::int64_t microseconds_up() const {
    const auto exact = static_cast<__int128>(flicks_) * 1'000'000;
    return static_cast<std::int64_t>((exact + flicks_per_second - 1) / flicks_per_second);
  }

  constexpr auto operator<=>(const duration&) const = default;
  constexpr duration& operator+=(duration other) {
    flicks_ = flicks_ > most - other.flicks_ ? most : flicks_ + other.flicks_;
    return *this;
  }
  // Stops at zero.
  constexpr duration& operator-=(duration other) {
    flicks_ = flicks_ > other.flicks_ ? flicks_ - other.flicks_ : 0;
    return *this;
  }
  friend constexpr duration operator+(duration a, duration b) { return a += b; }
  friend constexpr duration operator-(duration a, duration b) { return a -= b; }

 private:
  // Leaves headroom for the conversion to microseconds and for a sum.
  static constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 4;
  explicit constexpr duration(std::int64_t flicks) : flicks_{flicks} {}
  std::int64_t flicks_ = 0;
};

}  // namespace tollgate::routes::meters
