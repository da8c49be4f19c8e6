// Statements: the lines of every cycle, and what they add up to. Pure.
#pragma once

#include <vector>

#include "quota/account_history.hpp"

namespace tollgate::quota {

// One for each of `cycles` (oldest first, without a gap), each opening with what the one before
// closed with. `account` tells what the open cycle has settled and would be billed now.
std::vector<statement> statements(const std::vector<cycle_record>& cycles,
                                  const account_snapshot& account);

// Adds the money of top-ups, without what came back of it by refunds and disputes: each in the
// cycle in which it was paid, which is the one whose books have its credits. (Those that are taken
// back are a correction in the cycle in which the money came back.)
void add_payments(std::vector<statement>& statements, const std::vector<top_up_record>& top_ups);

// What overage credits cost: the sum of credits * price, rounded half up to the cent once.
std::int64_t cents_of(const std::vector<billed_overage>& billed);

}  // namespace tollgate::quota
