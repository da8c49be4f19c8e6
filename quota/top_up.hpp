// Purchases of credits: one record per requested payment, and when to request it again.
//
//   requested --delivered--> paid | declined | pending --confirmed--> paid | declined
//       +--nobody answers for a day, or confirms for a week--> timed_out --the next need-->
//       requested, under the same id
//
// The id is the idempotency key of the payment. A request that timed out may have been charged, so
// it is never replaced by another one: the next need requests the same payment again. An endpoint
// may remember an error under a key, and repeat it as long as it remembers the key; such a key is
// spent, and the next request uses the key's next generation.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "quota/clock.hpp"
#include "quota/credits.hpp"
#include "quota/money.hpp"

namespace tollgate::quota {

// The numbers are the wire protocol of ledger/scripts.
enum class top_up_status : std::uint8_t {
  requested = 0,
  pending = 1,
  paid = 2,
  declined = 3,
  timed_out = 4
};
std::string_view to_string(top_up_status status);

struct top_up_record {
  std::string id;
  bool automatic = true;  // counts towards the spend cap; false: bought by hand
  top_up_status status = top_up_status::requested;
  std::int64_t cents = 0;
  credits amount;
  time_point requested_at;
  time_point next_at;         // requested: earliest delivery; pending: since then
  std::int64_t attempts = 0;  // deliveries begun under the current key
  time_point resolved_at{};   // paid or declined
  std::int64_t cycle = 0;     // the cycle whose spend cap it counts towards
  std::int64_t generation =
      0;  // of its idempotency key: the number of keys spent without a payment
  std::int64_t refunded_cents =
      0;  // how much of the payment came back, as reported by the endpoint;
  std::int64_t disputed_cents = 0;  // the credits for it have been taken back

  bool operator==(const top_up_record&) const = default;
};

// Whether the payment of a requested top-up may have been requested: under this key, or under an
// earlier key that was spent since. One that timed out and is requested again counts anew.
constexpr bool was_asked_for(const top_up_record& top_up) {
  return top_up.attempts > 0 || top_up.next_at > top_up.requested_at;
}

// The share of the credits for the part of the payment that came back, rounded half up to the
// micro-credit.
constexpr credits taken_back(const top_up_record& top_up) {
  const auto cents = std::min(top_up.cents, top_up.refunded_cents + top_up.disputed_cents);
  if (cents == 0) return {};
  return credits::from_micro(mul_div_half_up(top_up.amount.micro(), cents, top_up.cents));
}

// Of an account: whether a new top-up may be requested.
struct top_up_state {
  std::int64_t spent_cents = 0;  // automatic ones of this cycle, requested or paid
  time_point not_before{};       // cooldown, or pause after a decline
  std::int64_t failures = 0;     // declines in a row
  std::int64_t count = 0;        // number of requests; makes ids unique

  bool operator==(const top_up_state&) const = default;
};

inline constexpr milliseconds top_up_cooldown = std::chrono::minutes{1};
inline constexpr milliseconds top_up_gives_up_after = std::chrono::hours{24};
inline constexpr milliseconds top_up_pause_after_time_out = std::chrono::hours{1};
inline constexpr milliseconds top_up_pending_at_most = std::chrono::hours{24 * 7};

// After the n-th decline in a row (from 1): a quarter of an hour, doubling up to a day.
constexpr milliseconds decline_back_off(std::int64_t failures) {
  const auto doubled = milliseconds{900'000} * (1LL << std::min<std::int64_t>(failures - 1, 7));
  return std::min<milliseconds>(doubled, std::chrono::hours{24});
}
// After the n-th delivery under a key without an answer: 5 s, doubling up to an hour. Each key
// starts again, but the more keys have been spent, the longer the pause.
constexpr milliseconds delivery_back_off(std::int64_t attempts, std::int64_t generation) {
  const auto step = std::clamp<std::int64_t>(std::max(attempts, generation) - 1, 0, 10);
  return std::min<milliseconds>(milliseconds{5'000} * (1LL << step), std::chrono::hours{1});
}
// Between a key that is spent after this many deliveries and the first delivery under the next one.
// After the first few, a request under the old key may still be running; 40 s is enough for any.
constexpr milliseconds next_key_back_off(std::int64_t attempts, std::int64_t generation) {
  return delivery_back_off(std::min<std::int64_t>(attempts, 4), generation);
}

}  // namespace tollgate::quota
