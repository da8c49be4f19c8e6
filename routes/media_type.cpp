#include "routes/media_type.hpp"

#include <algorithm>
#include <array>

#include "routes/readers/multipart.hpp"
#include "routes/readers/parameters.hpp"
#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

using readers::parameter;
using readers::parameterized;

bool is_media_type(std::string_view text) {
  const auto slash = text.find('/');
  return slash != text.npos && is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1));
}

bool is_in_pieces(const parameter& each) {
  return each.name.find('*') != each.name.npos;
}

// The checks that all types share.
std::optional<parameterized> read_sound(std::string_view content_type) {
  auto read = readers::read_parameters(content_type);
  if (!read) return {};
  for (const auto& each : read->parameters)
    if (is_in_pieces(each) || read->count(each.name) > 1) return {};
  return read;
}

std::string beginning(const parameterized& read) {
  return fold(read.value);
}

void append(std::string& out, std::string_view name, std::string_view value) {
  out.append("; ").append(name).append("=");
  if (is_token(value)) {
    out.append(value);
    return;
  }
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

bool is_utf8_charset(std::string_view name) {
  return equal_ignoring_case(name, "utf-8") || equal_ignoring_case(name, "utf8");
}

}  // namespace

bool is_ascii_charset(std::string_view name) {
  static constexpr std::array<std::string_view, 5> others{"us-ascii", "ascii", "iso-8859-1",
                                                          "latin1", "windows-1252"};
  return is_utf8_charset(name) ||
         std::any_of(others.begin(), others.end(),
                     [name](std::string_view each) { return equal_ignoring_case(name, each); });
}

std::optional<std::string> json_media_type(std::string_view content_type) {
  const auto read = read_sound(content_type);
  if (!read || !is_media_type(read->value)) return {};
  auto out = beginning(*read);
  const auto* charset = read->only("charset");
  if (charset != nullptr && !is_utf8_charset(*charset)) return {};
  if (charset != nullptr) append(out, "charset", "utf-8");
  return out;
}

std::optional<std::string> form_media_type(std::string_view content_type) {
  const auto read = read_sound(content_type);
  const auto boundary = readers::boundary_of(content_type);
  if (!read || !is_media_type(read->value) || !boundary) return {};
  auto out = beginning(*read);
  const auto* charset = read->only("charset");
  if (charset != nullptr && !is_ascii_charset(*charset)) return {};
  if (charset != nullptr) append(out, "charset", fold(*charset));
  append(out, "boundary", *boundary);
  return out;
}

std::optional<std::string> file_media_type(std::string_view content_type) {
  if (content_type.empty()) return std::string{};
  const auto read = read_sound(content_type);
  // Some clients send only a single name.
  if (!read || !(is_media_type(read->value) || is_token(read->value))) return {};
  auto out = beginning(*read);
  for (const auto& each : read->parameters)
    if (each.name != "charset" && !has_control(each.value)) append(out, each.name, each.value);
  return out;
}

}  // namespace tollgate::routes
