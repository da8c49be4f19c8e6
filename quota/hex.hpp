// Lower-case hexadecimal digits.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>

namespace tollgate::quota {

inline constexpr auto hex_pairs = [] {
  constexpr char digits[] = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    pairs[2 * byte] = digits[byte >> 4];
    pairs[2 * byte + 1] = digits[byte & 15];
  }
  return pairs;
}();

inline std::string to_hex(std::span<const unsigned char> bytes) {
  std::string text(2 * bytes.size(), '0');
  char* at = text.data();
  for (const unsigned char byte : bytes) {
    std::memcpy(at, &hex_pairs[2 * std::size_t{byte}], 2);
    at += 2;
  }
  return text;
}

}  // namespace tollgate::quota
