#include "quota/statement.hpp"

#include <algorithm>
#include <iterator>

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

void add_payments(std::vector<statement>& statements, const std::vector<top_up_record>& top_ups) {
  for (const auto& top_up : top_ups) {
    if (top_up.status != top_up_status::paid) continue;
    // Cycles are contiguous.
    const auto after =
        std::upper_bound(statements.begin(), statements.end(), top_up.resolved_at,
                         [](time_point at, const statement& one) { return at < one.record.start; });
    if (after == statements.begin()) continue;
    auto& paid_in = *std::prev(after);
    const auto came_back = std::min(top_up.cents, top_up.refunded_cents + top_up.disputed_cents);
    (top_up.automatic ? paid_in.automatic_cents : paid_in.packs_cents) += top_up.cents - came_back;
  }
}

}  // namespace tollgate::quota
