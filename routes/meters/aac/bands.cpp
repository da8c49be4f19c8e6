#include "routes/meters/aac/bands.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace tollgate::routes::meters::aac {
namespace {

struct run {
  unsigned bands, width;
};
using bands = std::vector<std::uint16_t>;

// Indexed by sampling rate.
using of_rates = std::array<bands, 13>;

// Frames of 960 samples have the same bands, cut off at the end of the frame.
bands ends_of(std::initializer_list<run> runs, unsigned window) {
  bands out{0};
  for (const auto& [count, width] : runs)
    for (unsigned i = 0; i < count && out.back() < window; ++i)
      out.push_back(static_cast<std::uint16_t>(std::min(out.back() + width, window)));
  return out;
}

of_rates make_long(unsigned window) {
  const auto k96 = ends_of(
      {{14, 4}, {5, 8}, {5, 12}, {2, 16}, {1, 24}, {1, 28}, {1, 36}, {1, 44}, {11, 64}}, window);
  const auto k64 = ends_of(
      {{14, 4}, {4, 8}, {3, 12}, {3, 16}, {1, 20}, {2, 24}, {1, 28}, {1, 36}, {18, 40}}, window);
  const auto k48 = ends_of(
      {{10, 4}, {7, 8}, {4, 12}, {2, 16}, {2, 20}, {2, 24}, {2, 28}, {19, 32}, {1, 96}}, window);
  const auto k32 =
      ends_of({{10, 4}, {7, 8}, {4, 12}, {2, 16}, {2, 20}, {2, 24}, {2, 28}, {22, 32}}, window);
  const auto k24 = ends_of({{11, 4},
                            {10, 8},
                            {4, 12},
                            {3, 16},
                            {2, 20},
                            {2, 24},
                            {2, 28},
                            {1, 32},
                            {2, 36},
                            {1, 40},
                            {1, 44},
                            {1, 48},
                            {2, 52},
                            {5, 64}},
                           window);
  const auto k16 = ends_of({{11, 8},
                            {9, 12},
                            {4, 16},
                            {3, 20},
                            {2, 24},
                            {2, 28},
                            {1, 32},
                            {1, 36},
                            {2, 40},
                            {1, 44},
                            {1, 48},
                            {1, 52},
                            {1, 56},
                            {1, 60},
                            {3, 64}},
                           window);
  const auto k8 = ends_of({{13, 12},
                           {7, 16},
                           {4, 20},
                           {3, 24},
                           {2, 28},
                           {1, 32},
                           {2, 36},
                           {1, 40},
                           {1, 44},
                           {1, 48},
                           {1, 52},
                           {1, 56},
                           {1, 60},
                           {1, 64},
                           {1, 80}},
                          window);
  return {k96, k96, k64, k48, k48, k32, k24, k24, k16, k16, k16, k8, k8};
}

of_rates make_short(unsigned window) {
  const auto k96 = ends_of({{6, 4}, {3, 8}, {1, 16}, {1, 28}, {1, 36}}, window);
  const auto k48 = ends_of({{5, 4}, {3, 8}, {3, 12}, {3, 16}}, window);
  const auto k24 = ends_of({{7, 4}, {3, 8}, {2, 12}, {2, 16}, {1, 20}}, window);
  const auto k16 = ends_of({{8, 4}, {2, 8}, {2, 12}, {1, 16}, {2, 20}}, window);
  const auto k8 = ends_of({{7, 4}, {4, 8}, {1, 12}, {1, 16}, {2, 20}}, window);
  return {k96, k96, k96, k48, k48, k48, k24, k24, k16, k16, k16, k8, k8};
}

}  // namespace

const bands& long_bands(unsigned rate_index, bool short_frames) {
  static const std::array both{make_long(1024), make_long(960)};
  return both[short_frames ? 1 : 0][rate_index];
}

const bands& short_bands(unsigned rate_index, bool short_frames) {
  static const std::array both{make_short(128), make_short(120)};
  return both[short_frames ? 1 : 0][rate_index];
}

}  // namespace tollgate::routes::meters::aac
