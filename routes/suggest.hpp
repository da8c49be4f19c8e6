// "Did you mean ...?" for unknown names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::routes {

// The name in `known` that is nearest to `wrong`, if it is near enough to be a typing error: at
// most one edit for every three characters (insert, delete, replace, or swap two neighbours), and
// at least one.
std::optional<std::string> nearest(std::string_view wrong, std::span<const std::string> known);

// "; did you mean "gpt-4"?", or empty. Appended to messages.
std::string did_you_mean(std::string_view wrong, std::span<const std::string> known);

}  // namespace tollgate::routes
