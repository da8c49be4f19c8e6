#include "proxy/account/org_json.hpp"

#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

namespace {

void write_credits_or_null(json_writer& out, const std::optional<quota::credits>& amount) {
  if (amount) {
    out.number(*amount);
  } else {
    out.null();
  }
}

void write_limits(json_writer& out, const std::vector<quota::spend_limit>& limits) {
  out.begin_array();
  for (const auto& limit : limits) {
    out.begin_object().key(to_string(limit.scope)).string(limit.id);
    out.key("credits").number(limit.most).key("per").string(to_string(limit.per)).end_object();
  }
  out.end_array();
}

void write_alerts(json_writer& out, const std::vector<quota::usage_alert>& alerts) {
  out.begin_array();
  for (const auto& alert : alerts) {
    const bool share = alert.kind == quota::alert_kind::allocation_percent;
    if (share && !alert.scope) {
      out.number(alert.level);
      continue;
    }
    out.begin_object();
    if (alert.scope) out.key(to_string(*alert.scope)).string(alert.id);
    if (alert.kind == quota::alert_kind::credits_used) {
      out.key("credits").number(quota::credits::from_micro(alert.level));
    } else {
      out.key(share ? "percent" : "spend_cap_percent").number(alert.level);
    }
    out.end_object();
  }
  out.end_array();
}

}  // namespace

void write_terms(json_writer& out, const quota::plan_terms& terms) {
  out.begin_object().key("credits").number(terms.allocation).key("rollover");
  if (terms.rollover_cycles == 0) {
    out.null();
  } else {
    out.begin_object().key("up_to_percent").number(terms.rollover_percent);
    out.key("cycles").number(terms.rollover_cycles).end_object();
  }
  // Prices are in millionths of a dollar, as credits are in millionths of a credit.
  out.key("overage_usd").number(quota::credits::from_micro(terms.usd_micro_per_credit));
  out.key("top_up_minimum_usd").usd(terms.top_up_minimum_cents).key("requests");
  if (terms.requests_per_minute == 0) {
    out.null();
  } else {
    out.begin_object().key("per_minute").number(terms.requests_per_minute);
    out.key("burst").number(terms.burst).end_object();
  }
  out.end_object();
}

namespace {

void write_cycle(json_writer& out, const quota::account_plan& plan) {
  out.key("terms");
  write_terms(out, plan.terms);
  out.key("plan_change");
  if (plan.next_terms) {
    out.begin_object().key("plan").string_or_null(plan.next_terms->plan);
    out.key("at").string(to_rfc3339_seconds(plan.end)).key("terms");
    write_terms(out, *plan.next_terms);
    out.end_object();
  } else {
    out.null();
  }
  out.key("cycle").begin_object().key("anchor_day").number(plan.anchor_day);
  out.key("start").string(to_rfc3339_seconds(plan.start));
  out.key("end").string(to_rfc3339_seconds(plan.end)).end_object();
}

}  // namespace

void write_org(json_writer& out, const quota::organization& org,
               const quota::account_snapshot* account) {
  const auto* plan = account != nullptr && account->plan ? &*account->plan : nullptr;
  const auto& options = org.options;
  out.begin_object().key("id").string(org.id);
  out.key("plan").string_or_null(plan != nullptr ? plan->terms.plan : org.plan);
  out.key("mode").string(org.shadow ? "shadow" : "enforce");
  out.key("suspended").boolean(org.suspended).key("overage").boolean(options.overage);
  out.key("spend_cap_usd");
  if (options.spend_cap_cents) {
    out.usd(*options.spend_cap_cents);
  } else {
    out.null();
  }
  out.key("critical_overdraft_credits");
  write_credits_or_null(out, options.critical_overdraft);
  out.key("auto_top_up");
  write_auto_top_up(out, options, plan != nullptr ? &plan->terms : nullptr);
  out.key("limits");
  write_limits(out, options.limits);
  out.key("alerts");
  write_alerts(out, options.alerts);
  out.key("stripe_customer").string_or_null(org.stripe_customer);
  if (plan != nullptr) write_cycle(out, *plan);
  out.key("created_at").string(to_rfc3339(org.created_at)).end_object();
}

void write_auto_top_up(json_writer& out, const quota::account_options& options,
                       const quota::plan_terms* terms) {
  if (!options.top_up_threshold) {
    out.null();
    return;
  }
  const auto least = terms != nullptr ? terms->top_up_minimum_cents : 0;
  out.begin_object().key("threshold_credits").number(*options.top_up_threshold);
  out.key("amount_usd").usd(std::max(options.top_up_cents, least));
  if (options.top_up_fill) out.key("fill").boolean(true);
  out.end_object();
}

void write_active_grant(json_writer& out, const quota::active_grant& grant, bool kept) {
  out.begin_object().key("id").string(grant.id).key("kind").string(grant.kind);
  out.key("credits").number(grant.amount).key("remaining").number(grant.remaining);
  out.key("expires_at");
  out.string_or_null(grant.expires_at == quota::never ? "" : to_rfc3339(grant.expires_at));
  out.key("priority").number(grant.priority).key("granted_at").string(to_rfc3339(grant.at));
  out.key("kept").boolean(kept).end_object();
}

void write_top_up(json_writer& out, const quota::top_up_record& top_up) {
  const bool waits = top_up.status == quota::top_up_status::requested;
  const bool resolved = top_up.resolved_at != quota::time_point{};
  out.begin_object().key("id").string(top_up.id);
  out.key("status").string(to_string(top_up.status)).key("amount_usd").usd(top_up.cents);
  out.key("credits").number(top_up.amount).key("automatic").boolean(top_up.automatic);
  out.key("requested_at").string(to_rfc3339(top_up.requested_at));
  out.key("resolved_at").string_or_null(resolved ? to_rfc3339(top_up.resolved_at) : "");
  out.key("attempts").number(top_up.attempts);
  out.key("next_attempt_at").string_or_null(waits ? to_rfc3339(top_up.next_at) : "");
  out.key("refunded_usd").usd(top_up.refunded_cents).key("disputed_usd").usd(top_up.disputed_cents);
  out.key("taken_back").number(taken_back(top_up)).end_object();
}

}  // namespace tollgate::proxy::admin
