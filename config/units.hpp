// Values with a unit. A parser accepts the whole text or returns nullopt.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::config {

// Digits only; empty if the value is too large.
std::optional<std::uint64_t> parse_whole(std::string_view text);

// `250us` `250ms` `60s` `5m` `2h` `1d`. A unit is required, except for a bare `0`.
std::optional<std::chrono::microseconds> parse_duration(std::string_view text);
std::string to_string(std::chrono::microseconds duration);  // in the largest unit that is exact

// `4096`, `64KiB`, `8MiB`, `1GiB` (powers of 1024), in bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string size_to_string(std::uint64_t bytes);

// `0.02` with `places` 6 is 20000: a decimal without sign or exponent, scaled to an integer. More
// decimals than `places` are refused, never rounded.
std::optional<std::int64_t> parse_decimal(std::string_view text, int places);

// `100%`: 100.
std::optional<int> parse_percentage(std::string_view text);

}  // namespace tollgate::config
