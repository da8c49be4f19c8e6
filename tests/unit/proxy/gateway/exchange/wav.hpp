// Audio of a known length.
#pragma once

#include <cstdint>
#include <string>

namespace tollgate::proxy {

// Silence of that many seconds: a WAV file of 8,000 bytes per second.
inline std::string wav(std::uint32_t seconds) {
  const auto number = [](std::uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
    return out;
  };
  const std::uint32_t size = seconds * 8000;
  return "RIFF" + number(36 + size, 4) + "WAVEfmt " + number(16, 4) + number(1, 2) + number(1, 2) +
         number(8000, 4) + number(8000, 4) + number(1, 2) + number(8, 2) + "data" +
         number(size, 4) + std::string(size, '\x80');
}

}  // namespace tollgate::proxy
