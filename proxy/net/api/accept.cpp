#include "proxy/net/api/accept.hpp"

#include <algorithm>
#include <compare>
#include <optional>

#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

// Real clients send fewer; the rest is ignored.
constexpr std::size_t most_ranges = 64;

constexpr int full_weight = 1000;

// The weight of a type, and the precision of the range it came from: 0 none, 1 "*/*", 2 "text/*", 3
// the full name.
struct wish {
  int weight = 0, exactness = 0;
  auto operator<=>(const wish&) const = default;
};

// The text before the next separator. Separators within quotes do not count.
std::string_view take_part(std::string_view& rest, char separator) {
  std::size_t end = 0;
  for (bool quoted = false; end < rest.size(); ++end) {
    if (rest[end] == '"') quoted = !quoted;
    if (quoted && rest[end] == '\\') ++end;
    if (!quoted && end < rest.size() && rest[end] == separator) break;
  }
  end = std::min(end, rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return routes::without_blanks(part);
}

// "0.5" -> 500: at most three decimals, at most 1.
std::optional<int> parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return {};
  int weight = (text[0] - '0') * full_weight;
  if (text.size() > 1 && text[1] != '.') return {};
  for (std::size_t i = 2, worth = full_weight / 10; i < text.size(); ++i, worth /= 10) {
    if (text[i] < '0' || text[i] > '9') return {};
    weight += (text[i] - '0') * static_cast<int>(worth);
  }
  if (weight > full_weight) return {};
  return weight;
}

// How precisely a media range matches this type; 0: not at all.
int exactness_of(std::string_view range, std::string_view type) {
  if (range == "*/*") return 1;
  const auto slash = range.find('/');
  if (slash == range.npos) return 0;
  if (range.substr(slash + 1) == "*") {
    const auto family = range.substr(0, slash + 1);
    return routes::equal_ignoring_case(family, type.substr(0, family.size())) ? 2 : 0;
  }
  return routes::equal_ignoring_case(range, type) ? 3 : 0;
}

std::optional<int> weight_in(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto parameter = take_part(parameters, ';');
    if (parameter.size() < 2 || !routes::equal_ignoring_case(parameter.substr(0, 2), "q="))
      continue;
    return parse_weight(parameter.substr(2));
  }
  return full_weight;
}

// The most precise range decides, even if others have a higher weight.
wish wish_for(std::string_view type, std::string_view accept) {
  wish found;
  for (std::size_t i = 0; i < most_ranges && !accept.empty(); ++i) {
    auto rest = take_part(accept, ',');
    const auto exactness = exactness_of(take_part(rest, ';'), type);
    if (exactness <= found.exactness) continue;
    if (const auto weight = weight_in(rest)) found = {*weight, exactness};
  }
  return found;
}

}  // namespace

std::size_t best_of(std::string_view accept, std::initializer_list<std::string_view> offers) {
  std::size_t best = 0, place = 0;
  wish most{1, 0};  // a weight of 0 excludes a type
  for (const auto& offer : offers) {
    const auto wanted = wish_for(offer, accept);
    if (wanted > most) {
      most = wanted;
      best = place;
    }
    ++place;
  }
  return best;
}

}  // namespace tollgate::proxy::admin
