// Identifiers. The sidecar that reserves makes the hold id, which makes every ledger operation
// idempotent: an operation is repeated with its id.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "quota/clock.hpp"

namespace tollgate::quota {

using org_id = std::string;

// Organization ids: 1 to 64 of [A-Za-z0-9._-]. The admin API refuses all others, because the id is
// part of Redis keys (`tollgate:{ORG}:...`) and their hash tag.
bool is_valid_org_id(std::string_view text);

// 26 characters of Crockford base32, a ULID: 48 bits of milliseconds, 80 bits of randomness. Ids
// sort by time, and the hour in which an id was made names the key that remembers its resolution.
class hold_id {
 public:
  hold_id() { text_.fill('0'); }
  static hold_id make(time_point made_at, std::uint64_t random_high16, std::uint64_t random_low64);
  static std::optional<hold_id> parse(std::string_view text);

  std::string_view text() const { return {text_.data(), text_.size()}; }
  time_point made_at() const;
  std::int64_t hour() const;  // hours since the Unix epoch

  // The id under which to continue when this one can no longer be used (its hold expired). It
  // depends on this id only, so the step can be repeated at any time with the same result. It has
  // the same age, so the ledger remembers both for the same time.
  hold_id successor() const;
  // The id under which to continue when this one is older than the ledger's memory
  // (resolution_memory_hours) and has never been held. It, too, depends on this id only; repeated,
  // it reaches one that is young enough.
  hold_id a_day_later() const;
  // A replacement, made now, for an id that was only requested.
  hold_id made_again(time_point now) const;

  auto operator<=>(const hold_id&) const = default;

 private:
  std::array<char, 26> text_;
};

// The only source of randomness, so that tests can repeat it.
class id_source {
 public:
  virtual ~id_source() = default;
  virtual std::uint64_t random_bits() = 0;

  hold_id next_hold_id(time_point now) { return hold_id::make(now, random_bits(), random_bits()); }
  // 32 lowercase hex digits, not all zero: a request id, or a W3C trace id.
  std::string next_hex128();
};

// Fast, not secret: for ids only. Keys and tokens come from OpenSSL's generator.
class random_id_source final : public id_source {
 public:
  explicit random_id_source(std::uint64_t seed) : engine_{seed} {}
  random_id_source()
      : random_id_source{std::random_device{}() * 0x9E3779B97F4A7C15ull ^ std::random_device{}()} {}
  std::uint64_t random_bits() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tollgate::quota
