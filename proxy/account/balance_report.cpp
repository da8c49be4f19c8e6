#include "proxy/account/balance_report.hpp"

#include <algorithm>

#include "proxy/account/account_figures.hpp"
#include "proxy/account/org_json.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

namespace {

// Overage and automatic top-ups count towards the cap together.
void write_spend_cap(json_writer& out, const quota::account_snapshot& account,
                     const overage_figures& overage) {
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
  out.key("end").string(to_rfc3339_seconds(plan.end));
  if (const auto figures = figures_of_cycle(account)) {
    out.key("supply").number(figures->supply).key("used").number(figures->used).key("ends_at");
    if (figures->ends_at) {
      out.number(*figures->ends_at);
    } else {
      out.null();
    }
  }
  out.end_object();
  out.key("plan").string_or_null(plan.terms.plan);
}

// Tenths of a percent, written in percent: "83.4".
void write_permille(json_writer& out, std::int64_t permille) {
  out.number(quota::credits::from_micro(permille * (quota::credits::micro_per_credit / 10)));
}

void write_standing(json_writer& out, const quota::account_snapshot& account) {
  const auto standing = standing_of(account);
  out.key("standing").begin_object().key("state").string(to_string(standing.state));
  out.key("used_percent");
  write_permille(out, standing.used_permille);
  out.key("spend_cap_percent");
  if (standing.cap_permille) {
    write_permille(out, *standing.cap_permille);
  } else {
    out.null();
  }
  out.end_object();
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
  out.key("usd").usd(overage.cents).key("priced_credits").number(overage.priced);
  out.key("owed").number(overage.owed);
  out.key("allowed").boolean(account.plan && quota::allows_overage(*account.plan));
  // Prices are in millionths of a dollar, as credits are in millionths of a credit.
  const auto price = account.plan ? account.plan->terms.usd_micro_per_credit : 0;
  out.key("usd_per_credit").number(quota::credits::from_micro(price)).end_object();
  out.key("spend_cap");
  write_spend_cap(out, account, overage);
  write_plan(out, account);
  write_standing(out, account);
  out.key("grants").begin_array();
  for (const auto& grant : account.grants.active) write_active_grant(out, grant, false);
  for (const auto& batch : account.grants.kept) {
    for (const auto& grant : batch.grants) write_active_grant(out, grant, true);
  }
  out.end_array().end_object();
  return out.take();
}

}  // namespace tollgate::proxy::admin
