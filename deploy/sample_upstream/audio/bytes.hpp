// Writes numbers byte by byte, in either order.
#pragma once

#include <cstdint>
#include <string>

namespace tollgate::sample_upstream::audio {

inline void append_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

inline void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes));
}

constexpr std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
  return a / b + (a % b != 0);
}

}  // namespace tollgate::sample_upstream::audio
