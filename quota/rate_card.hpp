// Prices: rate + usage -> credits. This is the only place that rounds money.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quota/credits.hpp"

namespace tollgate::quota {

enum class unit : std::uint8_t { request, query, minute };

// The usage of a call in the base of its unit: requests, queries, or microseconds of audio.
struct usage {
  std::int64_t amount = 1;
};

// The body that a route's meter reads to measure usage.
enum class meter_kind : std::uint8_t { none, request_audio, response_audio };

struct rate {
  std::string name;
  credits price;  // per unit
  unit per = unit::request;
  meter_kind meter = meter_kind::none;
  std::int64_t increment_us =
      1'000'000;  // audio is rounded up to a multiple of this before it is priced
  // JSON pointers to members of a body that request several answers (`/n`, `/best_of`): the largest
  // multiplies the usage. Not for audio, which is counted whatever a body requests.
  std::vector<std::string> times{};
};

// For audio: the microseconds paid for, rounded up to the increment. For requests and queries: 0.
constexpr std::int64_t billed_us(const rate& rate, usage used) {
  if (rate.per != unit::minute) return 0;
  const auto increments =
      (static_cast<__int128>(used.amount) + rate.increment_us - 1) / rate.increment_us;
  const auto exact = increments * rate.increment_us;
  return exact > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(exact);
}

// Rounds half up to the micro-credit, in the last step. An amount beyond credits::max_micro is
// capped there (the ledger then refuses it); usage must not be negative.
constexpr credits price(const rate& rate, usage used) {
  if (rate.per != unit::minute) {
    const auto exact = static_cast<__int128>(rate.price.micro()) * used.amount;
    return credits::from_micro(exact > credits::max_micro ? credits::max_micro + 1
                                                          : static_cast<std::int64_t>(exact));
  }
  constexpr std::int64_t us_per_minute = 60'000'000;
  const auto increments =
      (static_cast<__int128>(used.amount) + rate.increment_us - 1) / rate.increment_us;
  const auto exact = increments * rate.increment_us * rate.price.micro();
  const auto rounded = (exact + us_per_minute / 2) / us_per_minute;
  return credits::from_micro(rounded > credits::max_micro ? credits::max_micro + 1
                                                          : static_cast<std::int64_t>(rounded));
}

}  // namespace tollgate::quota
