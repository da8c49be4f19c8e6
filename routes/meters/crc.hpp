// The checksums of FLAC and Ogg: plain CRCs, most significant bit first, initial value 0. So the
// CRC of a message followed by its own CRC is 0.
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
