// Big-endian numbers of ISO base media files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace tollgate::routes::meters::mp4 {

inline std::uint64_t read_be(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = at; i < at + width; ++i)
    value = value << 8 | static_cast<unsigned char>(i < bytes.size() ? bytes[i] : 0);
  return value;
}
inline std::uint8_t u8(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(read_be(bytes, at, 1));
}
inline std::uint16_t u16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(read_be(bytes, at, 2));
}
inline std::uint32_t u32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(read_be(bytes, at, 4));
}
inline std::uint64_t u64(std::string_view bytes, std::size_t at) {
  return read_be(bytes, at, 8);
}

// The four-character name of a box, codec or handler.
using fourcc = std::uint32_t;
constexpr fourcc name(const char (&text)[5]) {
  fourcc value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(text[i]);
  return value;
}

constexpr std::uint64_t saturated = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a > saturated - b ? saturated : a + b;
}
constexpr std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > saturated / b ? saturated : a * b;
}
// a * b / c without intermediate overflow.
constexpr std::uint64_t scale(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  if (c == 0) return 0;
  const auto value = static_cast<unsigned __int128>(a) * b / c;
  return value > saturated ? saturated : static_cast<std::uint64_t>(value);
}

}  // namespace tollgate::routes::meters::mp4
