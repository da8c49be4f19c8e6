// Credits are integers of micro-credits (10^-6). No floating point touches money.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

namespace tollgate::quota {

class credits {
 public:
  static constexpr std::int64_t micro_per_credit = 1'000'000;

  // The largest amount of a single operation, and the largest balance to request, on either side of
  // zero. A Lua number (a double) adds exactly up to more than twice this, so the C++ ledger and
  // the ledger in Redis agree on every integer. Lifetime sums of an account may be larger.
  static constexpr std::int64_t max_micro = 4'000'000'000'000'000;  // 4 * 10^9 credits

  constexpr credits() = default;
  static constexpr credits from_micro(std::int64_t micro) { return credits{micro}; }
  static constexpr credits from_whole(std::int64_t whole) {
    return credits{whole * micro_per_credit};
  }

  constexpr std::int64_t micro() const { return micro_; }
  constexpr bool in_range() const { return micro_ >= -max_micro && micro_ <= max_micro; }

  constexpr auto operator<=>(const credits&) const = default;
  constexpr credits operator-() const { return credits{-micro_}; }
  constexpr credits& operator+=(credits other) {
    micro_ += other.micro_;
    return *this;
  }
  constexpr credits& operator-=(credits other) {
    micro_ -= other.micro_;
    return *this;
  }
  friend constexpr credits operator+(credits a, credits b) { return a += b; }
  friend constexpr credits operator-(credits a, credits b) { return a -= b; }

 private:
  explicit constexpr credits(std::int64_t micro) : micro_{micro} {}
  std::int64_t micro_ = 0;
};

// "0.1", "7.5", "-3", "0.166667": a decimal without exponent or padding.
std::string to_string(credits amount);

// The inverse of to_string. Refuses exponents, more than six decimals, and amounts beyond
// max_micro.
boost::system::result<credits> parse_credits(std::string_view text);

namespace literals {
constexpr credits operator""_credits(unsigned long long whole) {
  return credits::from_whole(static_cast<std::int64_t>(whole));
}
constexpr credits operator""_micro(unsigned long long micro) {
  return credits::from_micro(static_cast<std::int64_t>(micro));
}
}  // namespace literals

}  // namespace tollgate::quota
