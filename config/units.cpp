#include "config/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace tollgate::config {
namespace {

struct unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array<unit, 6> time_units{{{"d", 86'400'000'000},
                                          {"h", 3'600'000'000},
                                          {"m", 60'000'000},
                                          {"s", 1'000'000},
                                          {"ms", 1'000},
                                          {"us", 1}}};
constexpr std::array<unit, 3> size_units{{{"GiB", std::int64_t{1} << 30},
                                          {"MiB", std::int64_t{1} << 20},
                                          {"KiB", std::int64_t{1} << 10}}};

constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

// Splits "60s" into 60 and "s".
std::optional<std::pair<std::uint64_t, std::string_view>> split(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_whole(text.substr(0, digits));
  if (!number) return {};
  return std::pair{*number, text.substr(digits)};
}

template <std::size_t N>
std::optional<std::uint64_t> scale(std::uint64_t number, std::string_view name,
                                   const std::array<unit, N>& units) {
  for (const unit& known : units) {
    if (known.name != name) continue;
    const auto factor = static_cast<std::uint64_t>(known.factor);
    if (number > largest / factor) return {};
    return number * factor;
  }
  return {};
}

template <std::size_t N>
std::string in_largest_unit(std::int64_t amount, const std::array<unit, N>& units,
                            std::string_view base) {
  for (const unit& known : units) {
    if (amount != 0 && amount % known.factor == 0) {
      return std::to_string(amount / known.factor) + std::string{known.name};
    }
  }
  return std::to_string(amount) + std::string{base};
}

}  // namespace

std::optional<std::uint64_t> parse_whole(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || last != end) return {};
  return value;
}

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return {};
  if (parts->second.empty()) {
    return parts->first == 0 ? std::optional{std::chrono::microseconds{0}} : std::nullopt;
  }
  const auto micro = scale(parts->first, parts->second, time_units);
  if (!micro) return {};
  return std::chrono::microseconds{static_cast<std::int64_t>(*micro)};
}

std::string to_string(std::chrono::microseconds duration) {
  return in_largest_unit(duration.count(), time_units, "s");
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return {};
  if (parts->second.empty())
    return parts->first <= largest ? std::optional{parts->first} : std::nullopt;
  return scale(parts->first, parts->second, size_units);
}

std::string size_to_string(std::uint64_t bytes) {
  return in_largest_unit(static_cast<std::int64_t>(std::min(bytes, largest)), size_units, "");
}

std::optional<std::int64_t> parse_decimal(std::string_view text, int places) {
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view decimals;
  if (point != std::string_view::npos) {
    decimals = text.substr(point + 1);
    if (decimals.empty()) return {};
  }
  if (whole.empty() || decimals.size() > static_cast<std::size_t>(places)) return {};
  std::string digits{whole};
  digits += decimals;
  digits.append(static_cast<std::size_t>(places) - decimals.size(), '0');
  const auto value = parse_whole(digits);
  if (!value || *value > largest) return {};
  return static_cast<std::int64_t>(*value);
}

std::optional<int> parse_percentage(std::string_view text) {
  if (!text.ends_with('%')) return {};
  text.remove_suffix(1);
  const auto value = parse_whole(text);
  if (!value || *value > 1'000'000) return {};
  return static_cast<int>(*value);
}

}  // namespace tollgate::config
