#include "routes/readers/base64.hpp"

#include <array>

namespace tollgate::routes::readers {
namespace {

constexpr std::uint32_t not_a_digit = 0x80000000;

constexpr int value_of(unsigned char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// The digits of a group, each shifted to its position in the 24 bits.
using digit_table = std::array<std::uint32_t, 256>;
constexpr std::array<digit_table, 4> make_tables() {
  std::array<digit_table, 4> out{};
  for (unsigned place = 0; place < 4; ++place)
    for (unsigned c = 0; c < 256; ++c) {
      const auto value = value_of(static_cast<unsigned char>(c));
      out[place][c] =
          value < 0 ? not_a_digit : static_cast<std::uint32_t>(value) << (18 - 6 * place);
    }
  return out;
}
constexpr auto tables = make_tables();

constexpr bool is_white_space(unsigned char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

char* put_bytes(char* out, std::uint32_t bits, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) *out++ = static_cast<char>(bits >> (16 - 8 * i));
  return out;
}

// Decodes consecutive complete groups of digits and removes them from the text.
char* put_groups(char* out, const char* end, std::string_view& text) {
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const last = in + text.size();
  for (; last - in >= 4 && end - out >= 3; in += 4) {
    const auto bits = tables[0][in[0]] | tables[1][in[1]] | tables[2][in[2]] | tables[3][in[3]];
    if ((bits & not_a_digit) != 0) break;
    out[0] = static_cast<char>(bits >> 16);
    out[1] = static_cast<char>(bits >> 8);
    out[2] = static_cast<char>(bits);
    out += 3;
  }
  text.remove_prefix(text.size() - static_cast<std::size_t>(last - in));
  return out;
}

}  // namespace

bool base64_decoder::take(unsigned char c) {
  if (is_white_space(c)) return true;
  if (c == '=') {
    // Padding completes a group of two or three digits.
    if (ended_ || characters_ < 2 || characters_ + ++padding_ > 4) return false;
    ended_ = characters_ + padding_ == 4;
    return true;
  }
  const auto value = value_of(c);
  if (value < 0 || padding_ > 0) return false;
  bits_ |= static_cast<std::uint32_t>(value) << (18 - 6 * characters_);
  ++characters_;
  return true;
}

bool base64_decoder::write(std::string_view text, sink& out) {
  std::array<char, 6 * 1024> bytes;
  bool sound = true;
  while (sound && !text.empty()) {
    auto* const end = write_some(text, bytes.data(), bytes.data() + bytes.size(), sound);
    if (end != bytes.data())
      out.write({bytes.data(), static_cast<std::size_t>(end - bytes.data())});
  }
  return sound;
}

char* base64_decoder::write_some(std::string_view& text, char* out, const char* end, bool& sound) {
  while (true) {
    if (characters_ == 0 && !ended_) out = put_groups(out, end, text);
    if (text.empty() || end - out < 3) return out;
    sound = take(static_cast<unsigned char>(text.front()));
    if (!sound) return out;
    text.remove_prefix(1);
    if (characters_ < 4) continue;
    out = put_bytes(out, bits_, 3);
    bits_ = characters_ = 0;
  }
}

bool base64_decoder::finish(sink& out) {
  const bool sound = characters_ != 1 && (padding_ == 0 || ended_);
  if (sound && characters_ > 1) {
    std::array<char, 2> bytes;
    put_bytes(bytes.data(), bits_, characters_ - 1);
    out.write({bytes.data(), characters_ - 1});
  }
  *this = {};
  return sound;
}

}  // namespace tollgate::routes::readers
