// The lines of a statement, in display order.
#pragma once

#include <array>
#include <string_view>

#include "quota/account_history.hpp"

namespace tollgate::proxy::admin {

struct statement_line {
  std::string_view name;   // in CSV
  std::string_view label;  // for people
  quota::credits amount;   // signed: the change of the balance
};

inline quota::credits billed_of(const quota::cycle_record& cycle) {
  quota::credits sum;
  for (const auto& line : cycle.billed) sum += line.amount;
  return sum;
}

// From the opening balance to the bills; usage follows, and then `lines_after_usage`.
inline std::array<statement_line, 8> lines_before_usage(const quota::statement& statement) {
  const auto& cycle = statement.record;
  return {{{"opening", "Opening balance", statement.opening},
           {"allocation", "Allocation of the plan", cycle.allocation},
           {"rollover_in", "Rolled over from before", cycle.rolled_in},
           {"purchases", "Purchases", cycle.purchase},
           {"top_ups", "Top-ups", cycle.top_up},
           {"promotions", "Promotions", cycle.promotion},
           {"corrections", "Corrections", cycle.correction},
           {"overage_billed", "Overage, billed", billed_of(cycle)}}};
}

inline std::array<statement_line, 2> lines_after_usage(const quota::statement& statement) {
  return {{{"rollover_out", "Rolled over into the next", -statement.record.rolled_out},
           {"forfeited", "Forfeited", -statement.record.forfeited}}};
}

}  // namespace tollgate::proxy::admin
