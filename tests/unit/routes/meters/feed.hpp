// Feeds bytes to meters, whole and in pieces.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "routes/meters/meter.hpp"

namespace tollgate::routes::meters {

struct answer {
  state status = state::undecided;
  duration length;
  std::string container, codec;

  bool operator==(const answer&) const = default;
  double seconds() const {
    return static_cast<double>(length.flicks()) / duration::flicks_per_second;
  }
  friend std::ostream& operator<<(std::ostream& out, const answer& a) {
    return out << "{" << static_cast<int>(a.status) << ", " << a.seconds() << " s, " << a.container
               << ", " << a.codec << "}";
  }
};

using meter_factory = std::function<std::unique_ptr<meter>()>;

// `next_size` returns the length of the next piece.
inline answer measure_split(const meter_factory& make, std::string_view bytes,
                            const std::function<std::size_t()>& next_size) {
  const auto m = make();
  while (!bytes.empty()) {
    const auto n = std::min(next_size(), bytes.size());
    m->write(bytes.substr(0, n));
    bytes.remove_prefix(n);
  }
  m->finish();
  return {m->status(), m->measured(), std::string{m->container()}, std::string{m->codec()}};
}

// Whole, byte by byte, and in random pieces: the answer must be the same.
inline answer measure(const meter_factory& make, std::string_view bytes) {
  const auto whole = measure_split(make, bytes, [&] { return bytes.size(); });
  EXPECT_EQ(measure_split(make, bytes, [] { return 1; }), whole) << "byte by byte";
  for (unsigned seed = 0; seed < 4; ++seed) {
    std::mt19937 random{seed};
    std::geometric_distribution<std::size_t> sizes{0.3 / (1 << 4 * seed)};
    EXPECT_EQ(measure_split(make, bytes, [&] { return 1 + sizes(random); }), whole)
        << "in pieces, seed " << seed;
  }
  return whole;
}

inline std::string big(std::uint64_t value, std::size_t bytes) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>(value >> 8 * bytes);
  return out;
}

inline std::string little(std::uint64_t value, std::size_t bytes) {
  std::string out = big(value, bytes);
  return {out.rbegin(), out.rend()};
}

inline std::string repeat(std::string_view what, std::size_t times) {
  std::string out;
  while (times-- > 0) out += what;
  return out;
}

// Bytes that are neither a sync word nor a chunk.
inline std::string noise(std::size_t bytes, unsigned seed = 1) {
  std::mt19937 random{seed};
  std::string out(bytes, '\0');
  for (auto& c : out) c = static_cast<char>('a' + random() % 26);
  return out;
}

inline std::string id3v2(std::size_t content, bool footer = false) {
  std::string out = "ID3" + std::string{"\x04\x00", 2} + (footer ? '\x10' : '\0');
  for (int i = 3; i >= 0; --i) out += static_cast<char>(content >> 7 * i & 127);
  return out + noise(content) + (footer ? "3DI" + out.substr(3) : "");
}

}  // namespace tollgate::routes::meters
