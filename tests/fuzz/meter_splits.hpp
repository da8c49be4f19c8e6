// The same bytes, whole and in pieces, must measure the same.
#pragma once

#include <algorithm>
#include <memory>

#include "routes/meters/meter.hpp"
#include "tests/fuzz/input.hpp"

namespace tollgate::fuzz {

// The first byte says how the rest is cut.
inline void compare_splits(std::unique_ptr<routes::meters::meter> (*make)(),
                           std::string_view bytes) {
  if (bytes.empty()) return;
  auto seed = static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[0])) + 1;
  bytes.remove_prefix(1);
  const auto whole = make(), split = make();
  whole->write(bytes);
  auto least = routes::meters::duration{};
  for (auto rest = bytes; !rest.empty();) {
    seed = seed * 1'664'525 + 1'013'904'223;
    const auto n = std::min<std::size_t>(rest.size(), 1 + (seed >> 28) * (seed >> 20 & 3));
    split->write(rest.substr(0, n));
    rest.remove_prefix(n);
    least = split->measured();
  }
  whole->finish();
  split->finish();
  require(whole->measured() == split->measured(), "pieces last as long as the whole");
  require(whole->status() == split->status(), "pieces are what the whole is");
  require(whole->codec() == split->codec(), "pieces have the codec of the whole");
  require(whole->status() != routes::meters::state::undecided, "at the end it is decided");
  require(least >= routes::meters::duration{}, "no length is negative");
}

}  // namespace tollgate::fuzz
