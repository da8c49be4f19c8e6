#include "routes/member_name.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <utility>

#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

// Characters beyond ASCII that become ASCII, or nothing, when text is normalised (NFKC),
// case-folded, or stripped of invisible characters: those of Unicode 15, and the characters between
// them if they are as rare in names. Surrogates are included, as a reader may drop a lone one.
constexpr std::array<std::pair<char32_t, char32_t>, 51> vague{{
    {0x80, 0xA0},       {0xAA, 0xAA},       {0xAD, 0xAD},       {0xB2, 0xB3},
    {0xB9, 0xBA},       {0xDF, 0xDF},       {0x130, 0x133},     {0x17F, 0x17F},
    {0x1C7, 0x1CC},     {0x1F0, 0x1F3},     {0x2B0, 0x2B8},     {0x2E1, 0x2E3},
    {0x34F, 0x34F},     {0x600, 0x605},     {0x61C, 0x61C},     {0x6DD, 0x6DD},
    {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},     {0x115F, 0x1160},
    {0x1680, 0x1680},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x1D2C, 0x1D65},
    {0x1D9C, 0x1DBB},   {0x1E96, 0x1E9E},   {0x2000, 0x20A8},   {0x2100, 0x217F},
    {0x2460, 0x24EA},   {0x2C7C, 0x2C7D},   {0x3000, 0x3000},   {0x3164, 0x3164},
    {0x3250, 0x325F},   {0x32B1, 0x32CF},   {0x3371, 0x33FF},   {0xA7F2, 0xA7F4},
    {0xD800, 0xDFFF},   {0xFB00, 0xFB06},   {0xFE00, 0xFE6B},   {0xFEFF, 0xFFA0},
    {0xFFF0, 0xFFFB},   {0x107A5, 0x107A5}, {0x110BD, 0x110CD}, {0x13430, 0x13438},
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0x1D400, 0x1D6A3}, {0x1D7CE, 0x1D7FF},
    {0x1F100, 0x1F190}, {0x1FBF0, 0x1FBF9}, {0xE0000, 0xE0FFF},
}};
constexpr std::size_t longest_expansion = 4;  // U+2177, the Roman numeral viii

bool is_vague(char32_t character) {
  const auto at = std::upper_bound(
      vague.begin(), vague.end(), character,
      [](char32_t c, const std::pair<char32_t, char32_t>& range) { return c < range.first; });
  return at != vague.begin() && character <= std::prev(at)->second;
}

bool is_passed_over(char c) {
  return static_cast<std::uint8_t>(c) <= ' ' || c == 0x7F || c == '_' || c == '-';
}

// The name is valid UTF-8, except for lone surrogates.
char32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::size_t said = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  const std::size_t length = std::min(said, text.size());
  char32_t out = byte(0) & (0xFFU >> (said + 1));
  for (std::size_t i = 1; i < length; ++i) out = out << 6 | (byte(i) & 0x3FU);
  text.remove_prefix(length);
  return out;
}

// Tracks all positions in the wanted name that readers may have reached, in parallel.
class comparison {
 public:
  explicit comparison(std::string_view wanted) : wanted_{wanted} { at_.set(0); }

  bool run(std::string_view written, bool cut) {
    while (!written.empty() && at_.any()) {
      const char c = written.front();
      if (c == '\0' && is_complete()) return true;
      if ((c & 0x80) != 0) {
        take_beyond_ascii(take_character(written));
        continue;
      }
      written.remove_prefix(1);
      if (!is_passed_over(c)) take(lower(c));
    }
    return cut ? at_.any() : is_complete();
  }

 private:
  static constexpr std::size_t longest = 256;  // also limits the names in pointers

  bool is_complete() const { return wanted_.size() <= longest && at_[wanted_.size()]; }

  void take(char c) {
    for (std::size_t i = std::min(wanted_.size(), longest); i > 0; --i)
      at_[i] = at_[i - 1] && wanted_[i - 1] == c;
    at_.reset(0);
  }

  void take_beyond_ascii(char32_t character) {
    if (!is_vague(character)) return void(at_.reset());
    const auto before = at_;
    for (std::size_t more = 1; more <= longest_expansion; ++more) at_ |= before << more;
  }

  std::string_view wanted_;
  std::bitset<longest + 1> at_;
};

}  // namespace

std::string skeleton(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (!is_passed_over(c)) out += lower(c);
  return out;
}

bool may_be_taken_for(std::string_view written, std::string_view wanted, bool cut) {
  if (written == "__proto__") return true;
  std::size_t at = 0;
  for (const char c : written) {
    if ((c & 0x80) != 0 || c == '\0') return comparison{wanted}.run(written, cut);
    if (is_passed_over(c)) continue;
    if (at == wanted.size() || lower(c) != wanted[at]) return false;
    ++at;
  }
  return cut || at == wanted.size();
}

}  // namespace tollgate::routes
