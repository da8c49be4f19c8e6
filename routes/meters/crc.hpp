// The checksums of FLAC and Ogg: plain CRCs, the most significant bit first, starting from 0, so
// that the CRC of a message with its own CRC behind it is 0.
#pragma once

#include <cstdint>
#include <string_view>

namespace tollgate::routes::meters {

// x^8 + x^2 + x + 1 (RFC 9639, section 9.1.8).
std::uint8_t crc8(std::string_view bytes);
// x^16 + x^15 + x^2 + 1 (RFC 9639, section 9.3), continued from `crc`.
std::uint16_t crc16(std::uint16_t crc, std::string_view bytes);
// The polynomial of Ethernet (RFC 3533, section 6), continued from `crc`.
std::uint32_t ogg_crc(std::uint32_t crc, std::string_view bytes);

}  // namespace tollgate::routes::meters
