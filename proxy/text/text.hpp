// Small parsers and formatters: times, amounts, numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "quota/clock.hpp"
#include "quota/credits.hpp"

namespace tollgate::proxy::admin {

// "2026-01-31T10:00:00.000Z"
std::string to_rfc3339(quota::time_point time);
// "2026-01-31T10:00:00Z": for times that are whole hours
std::string to_rfc3339_seconds(quota::time_point time);

// "2026-01-31" (its first moment, UTC) or RFC 3339 with any offset: "2026-01-31T10:00:00+02:00".
// Empty if it is malformed, or before 1970.
std::optional<quota::time_point> parse_time(std::string_view text);

// "2026-01", the month (UTC) of `time`; and back, its first moment.
std::string month_text(quota::time_point time);
std::optional<quota::time_point> parse_month(std::string_view text);

// Cents as dollars, without padding: "24.69", "10", "0.5".
std::string usd_text(std::int64_t cents);

// For people and spreadsheets: "24.69", "10.00", "0.50".
std::string dollars_text(std::int64_t cents);

// The cost of credits at a price in millionths of a dollar, unrounded: up to twelve decimals.
std::string exact_usd_text(quota::credits amount, std::int64_t usd_micro_per_credit);

// Percent-decoding. `+` is kept, so that the offset of a time survives.
std::optional<std::string> percent_decode(std::string_view text);

// A decimal in [1, max].
std::optional<std::size_t> parse_count(std::string_view text, std::size_t max);

// A whole decimal number, of either sign.
std::optional<std::int64_t> parse_number(std::string_view text);

// "1769853600000-12", a position in a ledger or among events, in canonical form. Empty if it is
// malformed, or later than any in a store.
std::optional<std::string> parse_place(std::string_view text);

// Encodes any text as hexadecimal digits, and back.
std::string to_hex_text(std::string_view text);
std::optional<std::string> from_hex_text(std::string_view digits);

// UTF-8 without control characters, at most `max` bytes.
bool is_plain_text(std::string_view text, std::size_t max);

}  // namespace tollgate::proxy::admin
