#include "routes/normal_path.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

// Characters that need no encoding in a path (RFC 3986).
constexpr auto path_characters = [] {
  std::array<bool, 256> out{};
  for (int c = 0; c < 128; ++c)
    out[static_cast<std::size_t>(c)] = is_unreserved(static_cast<char>(c));
  for (const char c : std::string_view{"/!$&'()*+,=:@"}) out[static_cast<unsigned char>(c)] = true;
  return out;
}();

bool is_path_character(char c) {
  return path_characters[static_cast<unsigned char>(c)];
}

void append_encoded(std::string& out, unsigned char byte) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  out += {'%', hex[byte >> 4], hex[byte & 15]};
}

// Servers disagree about these, plain or percent-encoded: some take them for a separator or cut the
// path there, others for ordinary characters.
std::optional<std::string> uncertain_character(unsigned char byte) {
  if (byte == '\\') return "a backslash in the path";
  if (byte == ';') return "a path parameter (`;`)";
  if (byte < 0x20 || byte == 0x7F) return "a control character in the path";
  return std::nullopt;
}

// Normal percent-encoding: unreserved characters are plain, all others that need it are `%` and two
// upper-case digits.
std::variant<std::string, unreadable> normalise_encoding(std::string_view path,
                                                         encoded_slashes slashes) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto byte = static_cast<unsigned char>(path[i]);
    const bool encoded = byte == '%';
    if (encoded) {
      const int high = i + 1 < path.size() ? hex_value(path[i + 1]) : -1;
      const int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
      if (high < 0 || low < 0) return unreadable{"broken percent-encoding in the path"};
      byte = static_cast<unsigned char>(high * 16 + low);
      i += 2;
      if (byte == '/' && slashes == encoded_slashes::refused)
        return unreadable{std::string{encoded_slash_refused}};
    }
    if (const auto why = uncertain_character(byte)) return unreadable{*why};
    const char c = static_cast<char>(byte);
    if (!encoded && byte >= 0x80) return unreadable{"a byte beyond ASCII in the path"};
    if (!encoded && byte == ' ') return unreadable{"a space in the path"};
    if (encoded ? is_unreserved(c) : is_path_character(c))
      out += c;  // an encoded slash is not unreserved: it stays `%2F`
    else
      append_encoded(out, byte);
  }
  return out;
}

// "%2541": decoding once gives "%41", twice "A".
bool is_encoded_twice(std::string_view path) {
  for (auto at = path.find("%25"); at != path.npos; at = path.find("%25", at + 3))
    if (at + 4 < path.size() && hex_value(path[at + 3]) >= 0 && hex_value(path[at + 4]) >= 0)
      return true;
  return false;
}

// A server that takes `%2F` for a slash would join `a%2F%2Fb` or resolve `a%2F..`, or not.
bool has_dots_between_slashes(std::string_view path) {
  auto decoded = with_slashes_decoded(path);
  if (path.ends_with("%2F") || path.ends_with("%2F/")) return true;
  if (!decoded.ends_with('/')) decoded += '/';
  return decoded.find("//") != decoded.npos || decoded.find("/./") != decoded.npos ||
         decoded.find("/../") != decoded.npos;
}

// First joins adjacent slashes, as servers that join them do, then resolves `.` and `..`.
std::variant<std::string, unreadable> resolve_dots(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t at = 0; at < path.size();) {
    const auto begin = at + 1;  // path[at] is a slash
    at = std::min(path.find('/', begin), path.size());
    const auto segment = path.substr(begin, at - begin);
    const bool last = at == path.size();
    if (segment == "..") {
      if (out.empty()) return unreadable{"the path leads above its root"};
      out.erase(out.rfind('/'));
    } else if (!segment.empty() && segment != ".") {
      (out += '/') += segment;
      continue;
    }
    if (last) out += '/';
  }
  return out;
}

// The common case, without an allocation: nothing encoded, no empty segments, no dot segments.
bool is_normal_already(std::string_view path) {
  char before = '\0';
  for (const char c : path) {
    if (!is_path_character(c) || (before == '/' && (c == '/' || c == '.'))) return false;
    before = c;
  }
  return true;
}

}  // namespace

std::variant<std::string, unreadable> normalise_path(std::string_view path,
                                                     encoded_slashes slashes) {
  if (!path.starts_with('/')) return unreadable{"the path does not begin with a slash"};
  if (is_normal_already(path)) return std::string{path};
  auto encoded = normalise_encoding(path, slashes);
  const auto* text = std::get_if<std::string>(&encoded);
  if (text == nullptr) return encoded;
  if (is_encoded_twice(*text)) return unreadable{"percent-encoding within percent-encoding"};
  if (text->find('%') != text->npos && !is_utf8(percent_decode(*text)))
    return unreadable{"the path is not UTF-8 when decoded"};
  auto resolved = resolve_dots(*text);
  const auto* normal = std::get_if<std::string>(&resolved);
  if (normal != nullptr && has_encoded_slash(*normal) && has_dots_between_slashes(*normal))
    return unreadable{"an encoded slash (%2F) beside a slash, a dot segment or the path's end"};
  return resolved;
}

bool has_encoded_slash(std::string_view normalised) {
  return normalised.find("%2F") != normalised.npos;
}

std::string with_slashes_decoded(std::string_view normalised) {
  std::string out;
  out.reserve(normalised.size());
  for (std::size_t i = 0; i < normalised.size(); ++i) {
    const bool slash = normalised.substr(i, 3) == "%2F";
    out += slash ? '/' : normalised[i];
    if (slash) i += 2;
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

bool has_broken_encoding(std::string_view text) {
  for (auto at = text.find('%'); at != text.npos; at = text.find('%', at + 3))
    if (at + 2 >= text.size() || hex_value(text[at + 1]) < 0 || hex_value(text[at + 2]) < 0)
      return true;
  return false;
}

}  // namespace tollgate::routes
