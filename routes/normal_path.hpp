// The normal form of a path. The classifier matches it and the upstream receives it.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace tollgate::routes {

struct unreadable {
  std::string why;  // "an encoded slash (%2F) in the path"
};

// Some servers take `%2F` for a slash, some for a character of the segment. Where it is kept, the
// classifier must consider both readings.
enum class encoded_slashes : unsigned char { refused, kept };

// The normal form of a target's path (before the `?`), unless the path cannot be read with
// certainty. Normalising a normal form changes nothing.
std::variant<std::string, unreadable> normalise_path(
    std::string_view path, encoded_slashes slashes = encoded_slashes::refused);

bool has_encoded_slash(std::string_view normalised);
// The path that a server sees which takes `%2F` for a slash. Also in normal form.
std::string with_slashes_decoded(std::string_view normalised);
inline constexpr std::string_view encoded_slash_refused = "an encoded slash (%2F) in the path";

// Percent-decodes text with valid encoding (a normalised path, or text for which
// has_broken_encoding returned false).
std::string percent_decode(std::string_view text);
// A `%` that two hexadecimal digits do not follow.
bool has_broken_encoding(std::string_view text);

}  // namespace tollgate::routes
