#include "routes/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tollgate::routes {
namespace {

constexpr std::string_view kelvin_sign = "\xE2\x84\xAA";
constexpr std::string_view long_s = "\xC5\xBF";

// The length of the UTF-8 character at the start of `text`; 0 if it is invalid (RFC 3629: no
// overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const std::uint8_t second = byte(1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
  return length;
}

bool is_c1_control(std::string_view character) {
  return character.size() == 2 && character[0] == '\xC2' &&
         static_cast<std::uint8_t>(character[1]) < 0xA0;
}

bool is_c0_control(char c) {
  return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F;
}

// Most text is printable ASCII, which answers all questions below.
bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

constexpr auto token_characters = [] {
  std::array<bool, 256> out{};
  for (int c = 0; c < 128; ++c)
    out[static_cast<std::size_t>(c)] =
        is_alpha(static_cast<char>(c)) || is_digit(static_cast<char>(c));
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~"})
    out[static_cast<unsigned char>(c)] = true;
  return out;
}();

}  // namespace

std::string fold(std::string_view text) {
  std::string out(text.size(), '\0');
  std::transform(text.begin(), text.end(), out.begin(), lower);
  if (std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; })) return out;
  for (const auto& [character, letter] : {std::pair{kelvin_sign, "k"}, {long_s, "s"}})
    for (auto at = out.find(character); at != out.npos; at = out.find(character, at))
      out.replace(at, character.size(), letter);
  return out;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return token_characters[static_cast<unsigned char>(c)];
  });
}

bool has_control(std::string_view text) {
  if (is_printable_ascii(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (is_c0_control(text[i]) || is_c1_control(text.substr(i, 2))) return true;
  return false;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_certain(std::string_view text) {
  if (!text.empty() && (text.front() == ' ' || text.back() == ' ')) return false;
  return is_printable_ascii(text) || (!has_control(text) && is_utf8(text));
}

std::string shortened(std::string_view text) {
  constexpr std::size_t longest = 80;
  std::string out;
  while (!text.empty()) {
    const auto length = std::max<std::size_t>(utf8_length(text), 1);
    const auto character = text.substr(0, length);
    if (out.size() + length > longest) return out + "...";
    const bool printable =
        utf8_length(text) != 0 && !is_c0_control(text[0]) && !is_c1_control(character);
    out += printable ? character : "?";
    text.remove_prefix(length);
  }
  return out;
}

std::string shown(std::string_view text) {
  return '"' + shortened(text) + '"';
}

namespace {
constexpr std::string_view replacement = "\xEF\xBF\xBD";
}

std::string repaired(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto length = text[0] == '\0' ? 0 : utf8_length(text);
    out += length == 0 ? replacement : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string one_line(std::string_view text) {
  if (is_printable_ascii(text)) return std::string{text};
  constexpr std::string_view hex = "0123456789abcdef", letters = "tn";
  std::string out;
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const char c = text[0];
    if (length == 0) {
      out += replacement;
    } else if (c == '\t' || c == '\n') {
      out += {'\\', letters[static_cast<std::size_t>(c - '\t')]};
    } else if (is_c0_control(c) || is_c1_control(text.substr(0, length))) {
      const auto code = static_cast<std::uint8_t>(text[length - 1]);
      out += {'\\', 'x', hex[code >> 4U], hex[code & 15U]};
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const char c = text[0];
    if (length == 0) {
      out += replacement;
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (is_c0_control(c)) {
      out += {'\\', 'u', '0', '0', hex[static_cast<std::size_t>(c >> 4)], hex[c & 15]};
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

}  // namespace tollgate::routes
