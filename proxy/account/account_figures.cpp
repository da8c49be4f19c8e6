#include "proxy/account/account_figures.hpp"

#include <algorithm>

#include "quota/statement.hpp"

namespace tollgate::proxy::admin {

namespace {

using quota::credits;

constexpr std::int64_t near_permille = 800;

const quota::cycle_record* open_cycle(const quota::account_snapshot& account) {
  if (!account.plan || account.cycles.empty() || account.cycles.back().closed) return nullptr;
  return &account.cycles.back();
}

// How far a call may go beyond the balance, according to the rule that admits it
// (quota/ledger/account_admission).
credits room_of(const quota::account_snapshot& account, const quota::cycle_record& cycle) {
  const auto& plan = *account.plan;
  if (!quota::allows_overage(plan)) return {};
  return quota::overage_room(plan, cycle, account.top_up) + plan.owed;
}

std::int64_t permille_of(std::int64_t part, std::int64_t whole) {
  return static_cast<std::int64_t>((static_cast<__int128>(part) * 2'000 + whole) /
                                   (static_cast<__int128>(whole) * 2));
}

std::optional<std::int64_t> cap_permille(const quota::account_snapshot& account,
                                         const overage_figures& overage) {
  if (!account.plan || !account.plan->options.spend_cap_cents) return std::nullopt;
  const auto cap = *account.plan->options.spend_cap_cents;
  if (cap == 0) return 1'000;
  return permille_of(overage.cents + account.top_up.spent_cents, cap);
}

std::int64_t used_permille(const quota::account_snapshot& account) {
  credits brought, left;
  for (const auto& grant : account.grants.active) {
    brought += grant.amount;
    left += grant.remaining;
  }
  if (brought <= credits{}) return account.row.settled > credits{} ? 1'000 : 0;
  return permille_of((brought - left).micro(), brought.micro());
}

}  // namespace

std::optional<cycle_figures> figures_of_cycle(const quota::account_snapshot& account) {
  const auto* cycle = open_cycle(account);
  if (cycle == nullptr) return std::nullopt;
  const auto open = quota::statements(account.cycles, account).back();
  cycle_figures out;
  out.used = open.record.settled;
  out.supply = open.opening + cycle->allocation + cycle->rolled_in + cycle->purchase +
               cycle->top_up + cycle->promotion + cycle->correction;
  const auto& plan = *account.plan;
  if (!quota::allows_overage(plan) || plan.options.spend_cap_cents) {
    out.ends_at = out.used + account.row.posted() + room_of(account, *cycle);
  }
  return out;
}

overage_figures overage_of(const quota::account_snapshot& account) {
  overage_figures out{account.overdrawn, {}, 0, account.overdrawn};
  const auto* cycle = open_cycle(account);
  if (cycle == nullptr) return out;
  const auto open = quota::statements(account.cycles, account).back();
  out.amount -= std::min(account.plan->owed, account.overdrawn);
  for (const auto& line : cycle->billed) out.amount += line.amount;
  out.priced = open.overage;
  out.cents = open.overage_cents;
  out.owed -= quota::billable_overage(*account.plan, *cycle, account.top_up, account.overdrawn);
  return out;
}

std::string_view to_string(standing standing) {
  switch (standing) {
    case standing::no_credits_yet:
      return "no_credits_yet";
    case standing::in_credit:
      return "in_credit";
    case standing::nearly_used_up:
      return "nearly_used_up";
    case standing::near_spend_cap:
      return "near_spend_cap";
    case standing::in_overage:
      return "in_overage";
    case standing::no_credits_left:
      return "no_credits_left";
    case standing::spend_cap_reached:
      return "spend_cap_reached";
  }
  return "unknown";
}

standing_figures standing_of(const quota::account_snapshot& account) {
  const auto& row = account.row;
  standing_figures out;
  out.used_permille = used_permille(account);
  out.cap_permille = cap_permille(account, overage_of(account));
  const auto* cycle = open_cycle(account);
  const bool may_overdraw = cycle != nullptr && quota::allows_overage(*account.plan);
  if (row.granted == credits{} && row.available() == credits{} && !may_overdraw) return out;
  if (row.available() <= credits{}) {
    const bool ends = !may_overdraw || row.available() + room_of(account, *cycle) <= credits{};
    out.state = !ends ? standing::in_overage
                : may_overdraw || out.cap_permille.value_or(0) >= 1'000
                    ? standing::spend_cap_reached
                    : standing::no_credits_left;
  } else if (out.cap_permille.value_or(0) >= near_permille &&
             *account.plan->options.spend_cap_cents > 0) {
    out.state = standing::near_spend_cap;
  } else {
    out.state = out.used_permille >= near_permille ? standing::nearly_used_up : standing::in_credit;
  }
  return out;
}

}  // namespace tollgate::proxy::admin
