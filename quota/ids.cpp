#include "quota/ids.hpp"

#include <algorithm>

#include "quota/hex.hpp"

namespace tollgate::quota {

namespace {

__extension__ using uint128 = unsigned __int128;

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr int random_bits = 80;
constexpr uint128 random_mask = (uint128{1} << random_bits) - 1;
constexpr std::uint64_t time_mask = (std::uint64_t{1} << 48) - 1;

// Added to the random part of an id to get its successor's. It is odd, so repeated addition visits
// every id before it returns, and irregular, so it does not hit neighbouring ids.
constexpr uint128 stride = (uint128{0xB5AD} << 64) | 0x4ECEDA1CE2A98741ull;

std::array<char, 26> encode(uint128 value) {
  std::array<char, 26> text;
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value >>= 5) {
    *digit = alphabet[static_cast<std::size_t>(value & 31)];
  }
  return text;
}

constexpr auto value_of = [] {
  std::array<std::uint8_t, 256> values{};
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

uint128 decode(std::string_view text) {
  uint128 value = 0;
  for (const char digit : text) value = (value << 5) | value_of[static_cast<unsigned char>(digit)];
  return value;
}

uint128 time_part(time_point at) {
  const auto ms = std::max<std::int64_t>(at.time_since_epoch().count(), 0);
  return uint128{static_cast<std::uint64_t>(ms) & time_mask} << random_bits;
}

}  // namespace

bool is_valid_org_id(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (text == "." || text == "..") return false;  // reserved in paths
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
}

hold_id hold_id::make(time_point made_at, std::uint64_t random_high16, std::uint64_t random_low64) {
  hold_id id;
  id.text_ = encode(time_part(made_at) | uint128{random_high16 & 0xFFFF} << 64 | random_low64);
  return id;
}

// Only the canonical spelling is an id: two spellings of one id would be two holds.
std::optional<hold_id> hold_id::parse(std::string_view text) {
  hold_id id;
  const auto is_digit = [](char c) { return alphabet.find(c) != std::string_view::npos; };
  if (text.size() != id.text_.size() || text[0] > '7') return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::copy(text.begin(), text.end(), id.text_.begin());
  return id;
}

time_point hold_id::made_at() const {
  constexpr std::size_t time_digits = 10;  // 50 bits: two zeros, then the 48-bit time
  return time_point{milliseconds{static_cast<std::int64_t>(decode(text().substr(0, time_digits)))}};
}

std::int64_t hold_id::hour() const {
  return hour_of(made_at());
}

hold_id hold_id::successor() const {
  return made_again(made_at());
}

hold_id hold_id::a_day_later() const {
  return made_again(made_at() + std::chrono::hours{24});
}

hold_id hold_id::made_again(time_point now) const {
  hold_id id;
  id.text_ = encode(time_part(now) | ((decode(text()) + stride) & random_mask));
  return id;
}

std::string id_source::next_hex128() {
  std::uint64_t halves[2] = {random_bits(), random_bits()};
  if (halves[0] == 0 && halves[1] == 0) halves[1] = 1;
  std::array<unsigned char, 16> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(halves[i / 8] >> (56 - 8 * (i % 8)));
  }
  return to_hex(bytes);
}

}  // namespace tollgate::quota
