#include "proxy/admin/balance_report.hpp"

#include <algorithm>

#include "proxy/admin/org_json.hpp"
#include "proxy/admin/text.hpp"
#include "quota/money.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::admin {

namespace {

struct overage {
  quota::credits amount;   // used beyond all grants in this cycle: billed already, or not yet
  std::int64_t cents = 0;  // what of it costs money; the rest is owed in credits
};

// The open cycle may have billed before (when its price changed).
overage overage_of(const quota::account_snapshot& account) {
  const auto& cycles = account.cycles;
  overage out{account.overdrawn};
  if (cycles.empty() || cycles.back().closed) return out;
  for (const auto& line : cycles.back().billed) out.amount += line.amount;
  out.cents = quota::statements(cycles, account).back().overage_cents;
  return out;
}

// Overage and automatic top-ups count towards the cap together.
void write_spend_cap(json_writer& out, const quota::account_snapshot& account,
                     const overage& overage) {
  if (!account.plan || !account.plan->options.spend_cap_cents) {
    out.null();
    return;
  }
  const auto cap = *account.plan->options.spend_cap_cents;
  const auto used = overage.cents + account.top_up.spent_cents;
  out.begin_object().key("usd").usd(cap).key("used_usd").usd(used);
  out.key("remaining_usd").usd(std::max<std::int64_t>(cap - used, 0)).end_object();
}

void write_plan(json_writer& out, const quota::account_snapshot& account) {
  if (!account.plan) {
    out.key("auto_top_up").null().key("cycle").null().key("plan").null();
    return;
  }
  const auto& plan = *account.plan;
  out.key("auto_top_up");
  write_auto_top_up(out, plan.options, &plan.terms);
  out.key("cycle").begin_object().key("start").string(to_rfc3339_seconds(plan.start));
  out.key("end").string(to_rfc3339_seconds(plan.end)).end_object();
  out.key("plan").string_or_null(plan.terms.plan);
}

}  // namespace

std::string balance_json(const quota::org_id& org, const quota::account_snapshot& account) {
  const auto& row = account.row;
  const auto overage = overage_of(account);
  json_writer out;
  out.begin_object().key("org").string(org);
  out.key("available").number(row.available()).key("held").number(row.held);
  out.key("granted").number(row.granted).key("settled").number(row.settled);
  out.key("expired").number(row.expired);
  out.key("overage").begin_object().key("credits").number(overage.amount);
  out.key("usd").usd(overage.cents);
  out.key("allowed").boolean(account.plan && quota::allows_overage(*account.plan));
  // A price is millionths of a dollar, and so are credits of a credit.
  const auto price = account.plan ? account.plan->terms.usd_micro_per_credit : 0;
  out.key("usd_per_credit").number(quota::credits::from_micro(price)).end_object();
  out.key("spend_cap");
  write_spend_cap(out, account, overage);
  write_plan(out, account);
  out.key("grants").begin_array();
  for (const auto& grant : account.grants.active) write_active_grant(out, grant, false);
  for (const auto& batch : account.grants.kept) {
    for (const auto& grant : batch.grants) write_active_grant(out, grant, true);
  }
  out.end_array().end_object();
  return out.take();
}

}  // namespace tollgate::proxy::admin
