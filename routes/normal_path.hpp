// The normal form of a path, which the classifier matches and the upstream gets.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace tollgate::routes {

struct unreadable {
  std::string why;  // "an encoded slash (%2F) in the path"
};

// The path of a target (before the `?`) in normal form, unless it cannot be read with certainty.
// Normalising a normal form changes nothing.
std::variant<std::string, unreadable> normalise_path(std::string_view path);

// Percent-decodes text whose encoding is known to be sound (a normalised path, or after
// has_broken_encoding said no).
std::string percent_decode(std::string_view text);
// A `%` that is not followed by two hexadecimal digits.
bool has_broken_encoding(std::string_view text);

}  // namespace tollgate::routes
