// Timestamps of Matroska (RFC 9559, section 11).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace tollgate::routes::meters {

struct matroska_clock {
  std::uint64_t scale_ns = 1'000'000;
  std::uint64_t cluster_ticks = 0;

  std::int64_t nanoseconds(std::uint64_t ticks, std::int16_t more_ticks = 0) const {
    constexpr __int128 most = std::numeric_limits<std::int64_t>::max() / 2;
    const auto sum = std::max<__int128>(static_cast<__int128>(ticks) + more_ticks, 0);
    const auto product = std::min(sum, most) * std::min<__int128>(scale_ns, most);
    return static_cast<std::int64_t>(std::min(product, most));
  }
  std::int64_t of_block(std::int16_t ticks) const { return nanoseconds(cluster_ticks, ticks); }
};

}  // namespace tollgate::routes::meters
