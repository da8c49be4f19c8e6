#include "routes/meters/crc.hpp"

#include <array>
#include <limits>

#include "routes/meters/bytes.hpp"

namespace tollgate::routes::meters {
namespace {

template <class Crc>
using crc_table = std::array<Crc, 256>;

template <class Crc>
constexpr Crc one_byte(Crc crc, std::uint8_t byte, const crc_table<Crc>& table) {
  constexpr int bits = std::numeric_limits<Crc>::digits;
  return static_cast<Crc>((bits > 8 ? crc << 8 : 0) ^ table[crc >> (bits - 8) ^ byte]);
}

template <class Crc>
constexpr crc_table<Crc> make_table(Crc polynomial) {
  constexpr Crc top = Crc{1} << (std::numeric_limits<Crc>::digits - 1);
  crc_table<Crc> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    auto crc = static_cast<Crc>(byte << (std::numeric_limits<Crc>::digits - 8));
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<Crc>((crc & top) != 0 ? crc << 1 ^ polynomial : crc << 1);
    table[byte] = crc;
  }
  return table;
}

constexpr auto table8 = make_table<std::uint8_t>(0x07);
constexpr auto table16 = make_table<std::uint16_t>(0x8005);
constexpr auto table32 = make_table<std::uint32_t>(0x04C11DB7);

// tables16[n][b]: the CRC of byte b followed by n zeros, so eight bytes take eight independent
// look-ups. Every byte of a FLAC stream passes through this CRC.
constexpr auto tables16 = [] {
  std::array<crc_table<std::uint16_t>, 8> tables{table16};
  for (std::size_t n = 1; n < tables.size(); ++n)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[n][byte] = one_byte(tables[n - 1][byte], 0, table16);
  return tables;
}();

}  // namespace

std::uint8_t crc8(std::string_view bytes) {
  std::uint8_t crc = 0;
  for (const char c : bytes) crc = one_byte(crc, static_cast<std::uint8_t>(c), table8);
  return crc;
}

std::uint16_t crc16(std::uint16_t crc, std::string_view bytes) {
  while (bytes.size() >= 8) {
    const auto& t = tables16;
    crc = static_cast<std::uint16_t>(
        t[7][byte_at(bytes, 0) ^ crc >> 8] ^ t[6][byte_at(bytes, 1) ^ (crc & 0xFF)] ^
        t[5][byte_at(bytes, 2)] ^ t[4][byte_at(bytes, 3)] ^ t[3][byte_at(bytes, 4)] ^
        t[2][byte_at(bytes, 5)] ^ t[1][byte_at(bytes, 6)] ^ t[0][byte_at(bytes, 7)]);
    bytes.remove_prefix(8);
  }
  for (const char c : bytes) crc = one_byte(crc, static_cast<std::uint8_t>(c), table16);
  return crc;
}

std::uint32_t ogg_crc(std::uint32_t crc, std::string_view bytes) {
  for (const char c : bytes) crc = one_byte(crc, static_cast<std::uint8_t>(c), table32);
  return crc;
}

}  // namespace tollgate::routes::meters
