// Compares text from clients and formats it for messages.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace tollgate::routes {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}
// URI characters that mean the same plain and percent-encoded.
constexpr bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char low = lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// Ignores the case of ASCII letters only: for names that the protocol defines (header fields,
// schemes). Inline, because every request compares every header several times, and usually the
// lengths already differ.
inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

// Whether two header names are the same for a gateway that turns headers into variables: `_` equals
// `-`.
inline bool same_variable(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const auto variable = [](char c) { return c == '-' ? '_' : lower(c); };
  for (std::size_t i = 0; i < a.size(); ++i)
    if (variable(a[i]) != variable(b[i])) return false;
  return true;
}

// The form in which text is compared: ASCII letters in lower case, and the two characters beyond
// ASCII whose case-folded form is an ASCII letter (U+212A KELVIN SIGN -> k, U+017F LONG S -> s) as
// that letter. Go's JSON decoder, among others, takes "voiceſ" for "voices"; a comparison of bytes
// does not.
std::string fold(std::string_view text);

// A token of RFC 9110: header names, methods, media types.
bool is_token(std::string_view text);

// Trims spaces and tabs at both ends (optional white space of RFC 9110).
inline std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// C0 and C1 control characters (the latter in UTF-8) and DEL.
bool has_control(std::string_view text);
bool is_utf8(std::string_view text);

// No control characters, no blanks at the ends, valid UTF-8: nothing that only some readers would
// trim or cut off.
bool is_certain(std::string_view text);

// Text for a message: truncated after 80 bytes, control characters and broken UTF-8 as `?`.
std::string shortened(std::string_view text);
// The same in quotes.
std::string shown(std::string_view text);

// Replaces invalid UTF-8 and zero bytes with U+FFFD, so that a database accepts the text.
std::string repaired(std::string_view text);

// Text for one line of a log: control characters as `\n`, `\t`, `\x1b`, invalid UTF-8 as U+FFFD.
std::string one_line(std::string_view text);

// Appends `text` as a JSON string, quotes included. Invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace tollgate::routes
