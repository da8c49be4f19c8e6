// The grants that make up a balance, in the order in which they burn down: by priority, then
// soonest expiry, then age.
//
// Charges do not touch them. What has been settled since the list was last brought up to date
// (`mark` in account_state.hpp) is burned when the list is next needed, so a charge costs two
// additions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "quota/clock.hpp"
#include "quota/credits.hpp"

namespace tollgate::quota {

inline constexpr time_point never{};  // of an expiry

struct active_grant {
  std::string id;
  std::string kind;  // allocation rollover purchase top_up promotion correction
  int priority = 50;
  time_point expires_at = never;
  time_point at;  // when it was granted
  credits amount, remaining;

  bool operator==(const active_grant&) const = default;
};

// Rollover burns before the allocation of the month, bought credits last.
int default_priority(std::string_view kind);
inline constexpr int max_priority = 100;

using grant_list = std::vector<active_grant>;  // in burn-down order

void insert(grant_list& grants, active_grant grant);  // behind its equals: they are older
credits total(const grant_list& grants);
// Takes up to `amount` off the grants in their order, drops those that are used up, and returns
// what they could not cover. `granted_before` spares grants made at that time or later.
credits burn(grant_list& grants, credits amount, time_point granted_before = time_point::max());

// Credits that were due to expire when holds still had a claim on them: they wait for those holds,
// and for nobody else. Of a batch, never more is left than the holds that were placed before
// `until` still claim.
struct kept_batch {
  time_point until;        // when its grants expired
  credits claims;          // of the holds placed before that
  std::int64_t cycle = 0;  // the cycle it belonged to
  grant_list grants;

  bool operator==(const kept_batch&) const = default;
};

}  // namespace tollgate::quota
