// How many credits the level of an alert is.
#pragma once

#include <optional>

#include "quota/ledger/account_state.hpp"

namespace tollgate::quota {

// What was given in a cycle: allocation, what rolled in, what was bought, promotions and corrections.
credits given_in(const cycle_record& books);
// Nothing: a share of no credits, or of more than a share is told of.
std::optional<credits> level_of(const usage_alert& alert, credits given);

}  // namespace tollgate::quota
