// Statements: the lines of every cycle and their totals. Pure.
#pragma once

#include <vector>

#include "quota/account_history.hpp"

namespace tollgate::quota {

// One per element of `cycles` (oldest first, contiguous), each opening with the closing balance of
// the previous one. `account` supplies the open cycle's settled total and what would be billed now.
std::vector<statement> statements(const std::vector<cycle_record>& cycles,
                                  const account_snapshot& account);

// Adds the money of top-ups, less refunds and disputes, each in the cycle in which it was paid,
// whose books have its credits. (Credits taken back are a correction in the cycle in which the
// money came back.)
void add_payments(std::vector<statement>& statements, const std::vector<top_up_record>& top_ups);

// The cost of overage credits: the sum of credits * price, rounded half up to the cent once.
std::int64_t cents_of(const std::vector<billed_overage>& billed);

}  // namespace tollgate::quota
