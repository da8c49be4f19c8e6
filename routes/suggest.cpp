#include "routes/suggest.hpp"

#include <algorithm>
#include <vector>

#include "routes/text.hpp"

namespace tollgate::routes {
namespace {

// Optimal string alignment distance, letter case ignored. Three rows suffice.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view wrong, std::span<const std::string> known) {
  // Configuration names are short; a longer text is not a typing error.
  constexpr std::size_t longest = 100;
  if (wrong.empty() || wrong.size() > longest) return std::nullopt;
  std::size_t best = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  std::optional<std::string> found;
  for (const auto& name : known) {
    if (name.size() > longest) continue;
    const auto d = distance(wrong, name);
    if (d >= best) continue;
    best = d;
    found = name;
  }
  return found;
}

std::string did_you_mean(std::string_view wrong, std::span<const std::string> known) {
  const auto name = nearest(wrong, known);
  return name ? "; did you mean \"" + *name + "\"?" : std::string{};
}

}  // namespace tollgate::routes
