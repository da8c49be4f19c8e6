#include "quota/statement.hpp"

#include "quota/money.hpp"

namespace tollgate::quota {

std::int64_t cents_of(const std::vector<billed_overage>& billed) {
  __int128 exact = 0;  // in millionths of a micro-dollar
  for (const auto& line : billed) {
    exact += static_cast<__int128>(line.amount.micro()) * line.usd_micro_per_credit;
  }
  constexpr __int128 a_cent = static_cast<__int128>(credits::micro_per_credit) * usd_micro_per_cent;
  return static_cast<std::int64_t>((exact * 2 + a_cent) / (a_cent * 2));
}

std::vector<statement> statements(const std::vector<cycle_record>& cycles,
                                  const account_snapshot& account) {
  std::vector<statement> all;
  credits balance;
  for (const auto& cycle : cycles) {
    auto& each = all.emplace_back();
    each.record = cycle;
    auto billed = cycle.billed;
    credits billed_so_far;
    for (const auto& line : billed) billed_so_far += line.amount;
    if (!cycle.closed) {
      each.record.settled = account.row.settled - cycle.settled;
      if (account.plan) {
        each.record.plan = account.plan->terms.plan;
        const auto due = billable_overage(*account.plan, cycle, account.top_up, account.overdrawn);
        if (due > credits{}) billed.push_back({due, account.plan->terms.usd_micro_per_credit});
      }
    }
    for (const auto& line : billed) each.overage += line.amount;
    each.overage_cents = cents_of(billed);
    each.opening = balance;
    balance += cycle.allocation + cycle.purchase + cycle.top_up + cycle.promotion +
               cycle.correction + cycle.rolled_in + billed_so_far - each.record.settled -
               cycle.rolled_out - cycle.forfeited;
    each.closing = balance;
  }
  return all;
}

}  // namespace tollgate::quota
