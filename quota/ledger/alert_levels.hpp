// How many credits the level of an alert is, and when the spend cap is used up.
#pragma once

#include <optional>

#include "quota/ledger/account_state.hpp"

namespace tollgate::quota {

// What was given in a cycle: allocation, what rolled in, what was bought, promotions and
// corrections.
credits given_in(const cycle_record& books);
// Nothing: a share of no credits, or of more than a share is told of.
std::optional<credits> level_of(const usage_alert& alert, credits given);

// Automatic top-ups of the cycle, and what was billed of it.
std::int64_t spent_cents(const cycle_record& books, const top_up_state& top_up);
// How many credits must be overdrawn for so much of the spend cap to be used up; nothing: it cannot
// be.
std::optional<credits> overdrawn_at(std::int64_t percent, const account_plan& plan,
                                    const cycle_record& books, const top_up_state& top_up);

}  // namespace tollgate::quota
