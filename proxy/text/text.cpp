#include "proxy/text/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>

#include "quota/hex.hpp"
#include "quota/ledger/entry_id.hpp"
#include "quota/money.hpp"
#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

namespace chrono = std::chrono;

// Removes exactly `width` digits from the front of `text` and returns their value.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return {};
  int value = 0;
  for (const char digit : text.substr(0, width)) {
    if (digit < '0' || digit > '9') return {};
    value = value * 10 + (digit - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return {};
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return {};
  const auto day = take_digits(text, 2);
  if (!day) return {};
  const chrono::year_month_day date{chrono::year{*year},
                                    chrono::month{static_cast<unsigned>(*month)},
                                    chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *year < 1970) return {};
  return chrono::sys_days{date};
}

// ".123456" -> 123 ms; further digits are ignored.
std::optional<chrono::milliseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return chrono::milliseconds{};
  int value = 0, digits = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits) {
    if (digits < 3) value = value * 10 + (text[0] - '0');
  }
  if (digits == 0) return {};
  for (; digits < 3; ++digits) value *= 10;
  return chrono::milliseconds{value};
}

std::optional<chrono::milliseconds> take_time_of_day(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return {};
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return {};
  auto time = chrono::milliseconds{chrono::hours{*hour} + chrono::minutes{*minute}};
  if (!take(text, ':')) return time;
  const auto second = take_digits(text, 2);
  if (!second || *second > 59) return {};
  const auto fraction = take_fraction(text);
  if (!fraction) return {};
  return time + chrono::seconds{*second} + *fraction;
}

// "Z", "+02:00", "-0530"
std::optional<chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return chrono::minutes{};
  const bool negative = text.starts_with('-');
  if (!take(text, '+') && !take(text, '-')) return {};
  const auto hour = take_digits(text, 2);
  take(text, ':');
  const auto minute = take_digits(text, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return {};
  const auto offset = chrono::hours{*hour} + chrono::minutes{*minute};
  return negative ? -offset : offset;
}

}  // namespace

std::string to_rfc3339(quota::time_point time) {
  const auto text = to_rfc3339_seconds(time);
  const auto ms = (time - chrono::floor<chrono::seconds>(time)).count();
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(ms));
  return text.substr(0, text.size() - 1) + fraction;
}

std::string to_rfc3339_seconds(quota::time_point time) {
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{chrono::floor<chrono::seconds>(time) - day};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

std::optional<quota::time_point> parse_time(std::string_view text) {
  const auto day = take_date(text);
  if (!day) return {};
  if (text.empty()) return quota::time_point{*day};
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return {};
  const auto time = take_time_of_day(text);
  if (!time) return {};
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return {};
  const auto moment = quota::time_point{*day} + *time - *offset;
  if (moment < quota::time_point{}) return {};
  return moment;
}

std::string month_text(quota::time_point time) {
  return to_rfc3339_seconds(time).substr(0, 7);
}

std::optional<quota::time_point> parse_month(std::string_view text) {
  return text.size() == 7 ? parse_time(std::string{text} + "-01") : std::nullopt;
}

// A cent is 10,000 millionths of a dollar, and credits print as decimals of millionths.
std::string usd_text(std::int64_t cents) {
  return quota::to_string(quota::credits::from_micro(cents * quota::usd_micro_per_cent));
}

std::string dollars_text(std::int64_t cents) {
  const auto positive = cents < 0 ? -cents : cents;
  const auto part = std::to_string(100 + positive % 100).substr(1);
  return (cents < 0 ? "-" : "") + std::to_string(positive / 100) + "." + part;
}

std::string exact_usd_text(quota::credits amount, std::int64_t usd_micro_per_credit) {
  auto left = static_cast<__int128>(amount.micro()) * usd_micro_per_credit;
  const bool negative = left < 0;
  if (negative) left = -left;
  std::string digits;  // least significant first
  for (int places = 0; left > 0 || places <= 12; ++places, left /= 10) {
    if (places == 12 && !digits.empty()) digits += '.';
    const auto digit = static_cast<char>('0' + static_cast<int>(left % 10));
    if (places >= 12 || digit != '0' || !digits.empty()) digits += digit;
  }
  if (negative) digits += '-';
  return {digits.rbegin(), digits.rend()};
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return {};
    const int high = routes::hex_value(text[i + 1]), low = routes::hex_value(text[i + 2]);
    if (high < 0 || low < 0) return {};
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<std::size_t> parse_count(std::string_view text, std::size_t max) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  if (value < 1 || value > max) return {};
  return value;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

std::optional<std::string> parse_place(std::string_view text) {
  constexpr std::uint64_t latest_ms = 253'402'300'799'999;  // the end of the year 9999
  constexpr std::uint64_t last_of_a_ms = std::numeric_limits<std::int64_t>::max();
  const auto id = quota::parse_entry_id(text);
  if (!id || id->ms > latest_ms || id->sequence > last_of_a_ms) return {};
  return quota::to_string(*id);
}

std::string to_hex_text(std::string_view text) {
  return quota::to_hex({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
}

std::optional<std::string> from_hex_text(std::string_view digits) {
  if (digits.size() % 2 != 0) return {};
  std::string text;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = routes::hex_value(digits[i]), low = routes::hex_value(digits[i + 1]);
    if (high < 0 || low < 0) return {};
    text += static_cast<char>(high * 16 + low);
  }
  return text;
}

bool is_plain_text(std::string_view text, std::size_t max) {
  return text.size() <= max && !routes::has_control(text) && routes::is_utf8(text);
}

}  // namespace tollgate::proxy::admin
