// Counters that one thread writes and a scraper reads. A write is a plain load and store without a
// locked instruction. The reader sees each cell consistently, but different cells only at nearly
// the same time.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace tollgate::proxy::metrics {

class counter {
 public:
  void add(std::int64_t amount) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void increment() noexcept { add(1); }
  // For a count that is maintained elsewhere: copied from time to time.
  void copy(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::int64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

class gauge {
 public:
  void add(std::int64_t amount) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void increment() noexcept { add(1); }
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  std::int64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Upper bounds in microseconds, ascending; one more bucket takes the rest.
inline constexpr std::array<std::int64_t, 16> overhead_bounds_us{
    10,    20,     50,     100,    200,     500,     1'000,   2'000,
    5'000, 10'000, 20'000, 50'000, 100'000, 200'000, 500'000, 1'000'000};
inline constexpr std::array<std::int64_t, 16> upstream_bounds_us{
    1'000,   2'000,     5'000,     10'000,    20'000,     50'000,     100'000,    200'000,
    500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000, 300'000'000};
// Of a call's parts: from a reply of the store to a long answer.
inline constexpr std::array<std::int64_t, 20> part_bounds_us{
    50,        100,       200,        500,        1'000,      2'000,      5'000,
    10'000,    20'000,    50'000,     100'000,    200'000,    500'000,    1'000'000,
    2'000'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000, 300'000'000};

template <const auto& bounds_us>
class histogram {
 public:
  static constexpr std::size_t bucket_count = bounds_us.size() + 1;
  static constexpr const auto& bounds() { return bounds_us; }

  void observe(std::chrono::nanoseconds duration) noexcept {
    const auto found = std::lower_bound(
        bounds_us.begin(), bounds_us.end(), duration,
        [](std::int64_t bound, auto wanted) { return std::chrono::microseconds{bound} < wanted; });
    buckets_[static_cast<std::size_t>(found - bounds_us.begin())].increment();
    sum_ns_.add(duration.count());
  }

  std::int64_t bucket(std::size_t i) const { return buckets_[i].read(); }
  std::int64_t sum_ns() const { return sum_ns_.read(); }

 private:
  std::array<counter, bucket_count> buckets_;
  counter sum_ns_;
};

// An array of cells indexed by an enumerator; values beyond its size count in the last cell.
template <class Enum, std::size_t size>
class by_enum {
 public:
  counter& operator[](Enum which) noexcept {
    return cells_[std::min(static_cast<std::size_t>(which), size - 1)];
  }
  std::int64_t read(std::size_t i) const { return cells_[i].read(); }
  static constexpr std::size_t count() { return size; }

 private:
  std::array<counter, size> cells_;
};

}  // namespace tollgate::proxy::metrics
