// The grants that make up a balance, in burn-down order: by priority, then soonest expiry, then
// age.
//
// Charges do not change them. What was settled since the list was last updated (`mark` in
// account_state.hpp) is burned when the list is next needed, so a charge costs two additions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quota/clock.hpp"
#include "quota/credits.hpp"

namespace tollgate::quota {

inline constexpr time_point never{};  // an expiry

struct active_grant {
  std::string id;
  std::string kind;  // allocation rollover purchase top_up promotion correction
  int priority = 50;
  time_point expires_at = never;
  time_point at;  // when it was granted
  credits amount, remaining;

  bool operator==(const active_grant&) const = default;
};

// Rollover burns before the month's allocation; bought credits burn last.
int default_priority(std::string_view kind);
inline constexpr int max_priority = 100;

using grant_list = std::vector<active_grant>;  // in burn-down order

void insert(grant_list& grants, active_grant grant);  // after grants of equal rank: those are older
credits total(const grant_list& grants);
// Burns up to `amount` in burn-down order, removes grants that are used up, and returns what they
// did not cover. Grants made at `granted_before` or later are left alone.
credits burn(grant_list& grants, credits amount, time_point granted_before = time_point::max());

// Credits that were due to expire while holds had a claim on them: they are kept for those holds
// only. A batch never has more than the holds that were placed before `until` still claim.
struct kept_batch {
  time_point until;        // when its grants expired
  credits claims;          // of the holds placed before `until`
  std::int64_t cycle = 0;  // the cycle it belonged to
  grant_list grants;

  bool operator==(const kept_batch&) const = default;
};

}  // namespace tollgate::quota
