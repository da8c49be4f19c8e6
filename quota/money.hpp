// Converts between credits and dollars, at a price per credit in millionths of a dollar. Integers
// throughout; each function states how it rounds.
#pragma once

#include <cstdint>
#include <optional>

#include "quota/credits.hpp"
#include "quota/plan.hpp"

namespace tollgate::quota {

inline constexpr std::int64_t usd_micro_per_cent = 10'000;
// The bound up to which ledger/scripts can count; beyond it there is no answer.
inline constexpr std::int64_t max_usd_micro = 9'000'000'000'000'000;

// a * b / c rounded down, for non-negative numbers whose result fits.
constexpr std::int64_t mul_div(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::int64_t>(static_cast<__int128>(a) * b / c);
}
constexpr std::int64_t mul_div_half_up(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::int64_t>((static_cast<__int128>(a) * b * 2 + c) /
                                   (static_cast<__int128>(c) * 2));
}

// The cost of these credits, rounded up to the cent; empty if it exceeds the bound.
constexpr std::optional<std::int64_t> cents_for(credits amount, std::int64_t usd_micro_per_credit) {
  const auto exact = static_cast<__int128>(amount.micro()) * usd_micro_per_credit;
  const auto whole =
      static_cast<__int128>(amount.micro() / credits::micro_per_credit) * usd_micro_per_credit;
  if (whole > max_usd_micro) return std::nullopt;
  constexpr __int128 divisor =
      static_cast<__int128>(credits::micro_per_credit) * usd_micro_per_cent;
  return static_cast<std::int64_t>((exact + divisor - 1) / divisor);
}

// The credits that these cents buy, rounded half up to the micro-credit.
constexpr credits credits_bought(std::int64_t cents, std::int64_t usd_micro_per_credit) {
  const auto micro =
      mul_div_half_up(cents * usd_micro_per_cent, credits::micro_per_credit, usd_micro_per_credit);
  return credits::from_micro(micro > credits::max_micro ? credits::max_micro + 1 : micro);
}

// The credits that this money covers, rounded down: never more than it pays for.
constexpr credits credits_covered(std::int64_t usd_micro, std::int64_t usd_micro_per_credit) {
  if (usd_micro / usd_micro_per_credit > 2 * credits::max_micro / credits::micro_per_credit) {
    return credits::from_micro(2 * credits::max_micro);
  }
  return credits::from_micro(mul_div(usd_micro, credits::micro_per_credit, usd_micro_per_credit));
}

// The fewest credits that cost this much: rounded up.
constexpr credits credits_to_cover(std::int64_t usd_micro, std::int64_t usd_micro_per_credit) {
  const auto covered = credits_covered(usd_micro, usd_micro_per_credit);
  const auto exact = static_cast<__int128>(usd_micro) * credits::micro_per_credit;
  const bool whole = static_cast<__int128>(covered.micro()) * usd_micro_per_credit >= exact;
  return whole ? covered : covered + credits::from_micro(1);
}

// `percent` of a non-negative amount, rounded up; at most twice the largest balance.
constexpr credits share_of(credits amount, std::int64_t percent) {
  constexpr __int128 most = 2 * static_cast<__int128>(credits::max_micro);
  const auto exact = (static_cast<__int128>(amount.micro()) * percent + 99) / 100;
  return credits::from_micro(static_cast<std::int64_t>(exact > most ? most : exact));
}

}  // namespace tollgate::quota
