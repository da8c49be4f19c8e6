#include "quota/credits.hpp"

#include <algorithm>
#include <charconv>

#include <boost/system/errc.hpp>

namespace tollgate::quota {

namespace {

constexpr std::size_t decimals = 6;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

boost::system::error_code invalid() {
  return make_error_code(boost::system::errc::invalid_argument);
}

boost::system::error_code too_large() {
  return make_error_code(boost::system::errc::result_out_of_range);
}

}  // namespace

std::string to_string(credits amount) {
  // Uses the unsigned magnitude, so that even the smallest 64-bit integer prints.
  const auto micro = static_cast<std::uint64_t>(amount.micro());
  const auto magnitude = amount.micro() < 0 ? 0 - micro : micro;
  std::string text = amount.micro() < 0 ? "-" : "";
  text += std::to_string(magnitude / credits::micro_per_credit);
  auto fraction = std::to_string(magnitude % credits::micro_per_credit);
  fraction.insert(0, decimals - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) text += '.' + fraction;
  return text;
}

boost::system::result<credits> parse_credits(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  auto fraction = point == std::string_view::npos ? std::string_view{"0"} : text.substr(point + 1);
  if (whole.empty() || fraction.empty() || !all_digits(whole) || !all_digits(fraction)) {
    return invalid();
  }
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  if (fraction.size() > decimals) return invalid();

  std::int64_t micro = 0;
  if (std::from_chars(whole.data(), whole.data() + whole.size(), micro).ec != std::errc{} ||
      micro > credits::max_micro / credits::micro_per_credit) {
    return too_large();
  }
  std::string padded{fraction};
  padded.resize(decimals, '0');
  std::int64_t below = 0;
  std::from_chars(padded.data(), padded.data() + padded.size(), below);
  const auto amount = credits::from_micro(micro * credits::micro_per_credit + below);
  if (!amount.in_range()) return too_large();
  return negative ? -amount : amount;
}

}  // namespace tollgate::quota
