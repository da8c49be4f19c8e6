// Numbers in byte strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tollgate::routes::meters {

constexpr std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

// The caller guarantees that the bytes exist.
template <class Number>
constexpr Number little_endian(std::string_view bytes, std::size_t at) {
  Number value = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;)
    value = static_cast<Number>(std::uint64_t{value} << 8 | byte_at(bytes, at + i));
  return value;
}

// Reads all of `bytes`, at most eight, as one number.
constexpr std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

}  // namespace tollgate::routes::meters
