// What an action costs: rate + usage -> credits. This is the one place that rounds money.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "quota/credits.hpp"

namespace tollgate::quota {

enum class unit : std::uint8_t { request, query, minute };

// What was used, counted in the base of its unit: requests, queries, or microseconds of audio.
struct usage {
  std::int64_t amount = 1;
};

// What a route's meter reads to learn its usage.
enum class meter_kind : std::uint8_t { none, request_audio, response_audio };

struct rate {
  std::string name;
  credits price;  // per unit
  unit per = unit::request;
  meter_kind meter = meter_kind::none;
  std::int64_t increment_us = 1'000'000;  // audio is rounded up to this before it is priced
  // JSON pointers to members of a body that ask for so many answers (`/n`, `/best_of`): the largest
  // multiplies what is used. Not for audio, which is counted whatever a body says.
  std::vector<std::string> times{};
};

// Of audio: what is paid for, in microseconds, rounded up to the increment. Requests and queries
// are paid for as they are counted: 0.
constexpr std::int64_t billed_us(const rate& rate, usage used) {
  if (rate.per != unit::minute) return 0;
  const auto increments =
      (static_cast<__int128>(used.amount) + rate.increment_us - 1) / rate.increment_us;
  const auto exact = increments * rate.increment_us;
  return exact > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(exact);
}

// Half up at the micro-credit, at the last step. An amount beyond credits::max_micro is capped
// there (the ledger then refuses it); usage must not be negative.
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
