// Converts the level of an alert into credits, and decides when the spend cap is used up.
#pragma once

#include <optional>

#include "quota/ledger/account_state.hpp"

namespace tollgate::quota {

// The credits given in a cycle: allocation, rollover, purchases, promotions and corrections.
credits given_in(const cycle_record& books);
// Empty for a share of zero credits, or of more credits than shares support.
std::optional<credits> level_of(const usage_alert& alert, credits given);

// The cycle's automatic top-ups and bills.
std::int64_t spent_cents(const cycle_record& books, const top_up_state& top_up);
// How many overdrawn credits use up this share of the spend cap; empty if no amount can.
std::optional<credits> overdrawn_at(std::int64_t percent, const account_plan& plan,
                                    const cycle_record& books, const top_up_state& top_up);

}  // namespace tollgate::quota
