#include "deploy/sample_upstream/base64.hpp"

#include <algorithm>
#include <cstdint>

namespace tollgate::sample_upstream {

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      three = three << 8 | (i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : 0);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= bytes.size() ? digits[three >> (18 - 6 * i) & 63] : '=';
    }
  }
  return out;
}

}  // namespace tollgate::sample_upstream
