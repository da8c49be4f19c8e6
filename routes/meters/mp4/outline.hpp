// A table of any length in constant memory: where a total stood after how many entries.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "routes/meters/mp4/bytes.hpp"

namespace tollgate::routes::meters::mp4 {

// The tables of a movie are runs: "y grows by `each` with every one of the next `count` x". They
// say what came of a truncated file, but stand in front of it. So they are kept as knots between
// which the line is straight: exact as long as there are enough knots for all runs; then every
// other knot is dropped and from there on a knot stands for twice as many runs. The totals are
// always exact. Beyond its end the line goes on as its last run, which is what players do with stts
// and what stsc says of itself.
template <std::size_t Knots>
class outline {
  static_assert(Knots >= 2 && Knots % 2 == 0);

 public:
  struct point {
    std::uint64_t x, y;
  };
  // Between two neighbours the table went through `low` and `high`; nothing more is known.
  struct bracket {
    point low, high;
  };

  void add_run(std::uint64_t count, std::uint64_t each) {
    if (count == 0) return;
    const bool same = size_ > 0 && each == each_ && straight_[size_ - 1];
    if (!same) open_run();
    each_ = each;
    end_ = {add(end_.x, count), add(end_.y, multiply(count, each))};
    knots_[size_ - 1] = end_;
  }

  point end() const { return end_; }
  // Leaves the knots as they are: fragments are many, and mostly short.
  void clear() {
    size_ = 0;
    runs_in_last_ = 0;
    runs_a_knot_ = 1;
    end_ = {};
    each_ = 0;
  }

  std::uint64_t y_at(std::uint64_t x) const {
    if (x >= end_.x) return add(end_.y, multiply(x - end_.x, each_));
    const auto [low, high] = around(first_knot([x](point p) { return p.x > x; }));
    return low.y + scale(x - low.x, high.y - low.y, high.x - low.x);
  }
  // The greatest x whose y is not above the given one.
  std::uint64_t x_at(std::uint64_t y) const {
    if (y >= end_.y) return end_.x;
    const auto [low, high] = around(first_knot([y](point p) { return p.y > y; }));
    return low.x + scale(y - low.y, high.x - low.x, high.y - low.y);
  }

  // Never too little: where the line between two knots was not straight, the upper knot.
  std::uint64_t y_at_most(std::uint64_t x) const {
    if (x >= end_.x) return y_at(x);
    const auto knot = first_knot([x](point p) { return p.x >= x; });
    return straight_[knot] ? y_at(x) : knots_[knot].y;
  }
  // The nearest points around y that are certain. Past the end, both are the end.
  bracket certain_around(std::uint64_t y) const {
    if (y >= end_.y) return {end_, end_};
    const auto knot = first_knot([y](point p) { return p.y > y; });
    if (!straight_[knot]) return around(knot);
    const auto x = x_at(y);
    return {{x, y_at(x)}, {x + 1, y_at(x + 1)}};
  }

 private:
  template <class Beyond>
  std::size_t first_knot(Beyond beyond) const {
    const auto end = knots_.begin() + static_cast<std::ptrdiff_t>(size_);
    const auto found =
        std::partition_point(knots_.begin(), end, [&](point p) { return !beyond(p); });
    return static_cast<std::size_t>(found - knots_.begin());
  }
  bracket around(std::size_t knot) const {
    return {knot == 0 ? point{} : knots_[knot - 1], knots_[knot]};
  }

  void open_run() {
    if (size_ > 0 && runs_in_last_ < runs_a_knot_) {
      ++runs_in_last_;
      straight_[size_ - 1] = false;
      return;
    }
    if (size_ == Knots) thin_out();
    straight_[size_++] = true;
    runs_in_last_ = 1;
  }

  void thin_out() {
    for (std::size_t i = 0; i < Knots / 2; ++i) {
      knots_[i] = knots_[2 * i + 1];
      straight_[i] = false;
    }
    size_ = Knots / 2;
    runs_a_knot_ *= 2;
  }

  std::array<point, Knots> knots_;
  std::bitset<Knots> straight_;
  std::size_t size_ = 0;
  std::uint64_t runs_in_last_ = 0, runs_a_knot_ = 1;
  point end_{};
  std::uint64_t each_ = 0;
};

}  // namespace tollgate::routes::meters::mp4
