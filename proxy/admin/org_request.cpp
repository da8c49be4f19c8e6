#include "proxy/admin/org_request.hpp"

#include <algorithm>

#include "proxy/text/text.hpp"
#include "quota/cycle.hpp"
#include "quota/money.hpp"
#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

const config::plan_settings* find_plan(const std::string& name, const config::settings& settings) {
  for (const auto& plan : settings.plans) {
    if (plan.name == name) return &plan;
  }
  return nullptr;
}

api_error unknown_plan(const std::string& plan, const config::settings& settings) {
  std::vector<std::string> names;
  for (const auto& known : settings.plans) names.push_back(known.name);
  return invalid("unknown plan " + routes::shown(plan) + routes::did_you_mean(plan, names), "plan");
}

// The name of the plan after the change; it may be empty.
checked<std::string> read_plan(const json_value& body, const quota::organization& now,
                               const config::settings& settings, org_request& out) {
  const auto plan = text_field(body, "plan", 64);
  if (!plan) return plan.error();
  if (*plan && find_plan(**plan, settings) == nullptr) return unknown_plan(**plan, settings);
  if (*plan) out.change.plan = **plan;
  if (is_null(body, "plan")) out.change.plan = "";
  return out.change.plan.value_or(now.plan);
}

// Custom plans require terms, and other plans do not allow them.
std::optional<api_error> read_custom_terms(const json_value& body, const std::string& plan,
                                           const quota::organization& now,
                                           const config::settings& settings, org_request& out) {
  const auto* known = find_plan(plan, settings);
  const bool custom = known != nullptr && known->custom;
  static const body_fields fields{
      {"credits", "rollover", "overage_usd", "top_up_minimum_usd", "requests"}, {}};
  const auto terms = object_field(body, "terms", fields);
  if (!terms) return terms.error();
  if (*terms != nullptr) {
    if (!custom) {
      return invalid("terms are for plans with custom: true; the configuration sets those of " +
                         (plan.empty() ? "every other" : routes::shown(plan)),
                     "terms");
    }
    auto read = read_terms(**terms, plan);
    if (!read) return inside("terms", std::move(read).error());
    out.change.custom_terms = *std::move(read);
  } else if (custom && !(now.custom_terms && now.custom_terms->plan == plan)) {
    return invalid(
        "the plan " + routes::shown(plan) + " has custom: true: send its terms as \"terms\"",
        "terms");
  }
  return {};
}

std::optional<api_error> read_when(const json_value& body, org_request& out) {
  const auto when = text_field(body, "plan_effective", 64);
  if (!when) return when.error();
  if (*when && **when != "now" && **when != "next_cycle") {
    return invalid("plan_effective must be now or next_cycle", "plan_effective");
  }
  if (*when) {
    out.at_once = **when == "now";
  } else if (out.change.plan || out.change.custom_terms) {
    out.at_once = true;
  }
  const auto anchor = text_field(body, "cycle_anchor", 64);
  if (!anchor) return anchor.error();
  if (*anchor) {
    const auto date = (*anchor)->size() == 10 ? parse_time(**anchor) : std::nullopt;
    if (!date) {
      return invalid(
          "cycle_anchor must be a date, of which the day of the month counts: 2026-01-31",
          "cycle_anchor");
    }
    out.anchor_day = quota::day_of_month(*date);
  }
  return {};
}

// The id becomes part of requests to Stripe.
bool is_stripe_id(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return routes::is_alpha(c) || routes::is_digit(c) || c == '_';
  });
}

std::optional<api_error> read_switches(const json_value& body, org_request& out) {
  const auto mode = text_field(body, "mode", 64);
  if (!mode) return mode.error();
  if (*mode && **mode != "shadow" && **mode != "enforce") {
    return invalid("mode must be shadow or enforce", "mode");
  }
  if (*mode) out.change.shadow = **mode == "shadow";
  const auto suspended = boolean_field(body, "suspended");
  if (!suspended) return suspended.error();
  out.change.suspended = *suspended;
  auto customer = text_field(body, "stripe_customer", 128);
  if (!customer) return customer.error();
  if (*customer && !is_stripe_id(**customer)) {
    return invalid("stripe_customer must be Stripe's id of the customer: cus_...",
                   "stripe_customer");
  }
  if (*customer) out.change.stripe_customer = **std::move(customer);
  if (is_null(body, "stripe_customer")) out.change.stripe_customer = "";
  return {};
}

// `terms` are the organization's terms after the change.
std::optional<api_error> read_auto_top_up(const json_value& body, const quota::plan_terms& terms,
                                          quota::account_options& out) {
  static const body_fields fields{{"threshold_credits", "amount_usd", "fill"}, {}};
  const auto rule = object_field(body, "auto_top_up", fields);
  if (!rule) return rule.error();
  if (is_null(body, "auto_top_up")) {
    out.top_up_threshold.reset();
    out.top_up_cents = 0;
    out.top_up_fill = false;
  }
  if (*rule == nullptr) return {};
  const auto threshold = amount_field(**rule, "threshold_credits");
  if (!threshold) return inside("auto_top_up", threshold.error());
  const auto cents = usd_field(**rule, "amount_usd", 2, quota::max_cents);
  if (!cents) return inside("auto_top_up", cents.error());
  const auto fill = boolean_field(**rule, "fill");
  if (!fill) return inside("auto_top_up", fill.error());
  if (!*threshold || !*cents || **cents == 0) {
    return invalid(
        "auto_top_up needs a threshold and an amount: {\"threshold_credits\": 1000, "
        "\"amount_usd\": 25}",
        "auto_top_up");
  }
  if (terms.usd_micro_per_credit == 0) {
    return invalid("auto_top_up needs a price per credit, and " +
                       (terms.plan.empty() ? "an organization without a plan has none: give it one"
                                           : "the plan " + routes::shown(terms.plan) +
                                                 " has none: set its overage_usd"),
                   "auto_top_up");
  }
  if (!quota::credits_bought(**cents, terms.usd_micro_per_credit).in_range()) {
    return invalid("auto_top_up would buy more than 4000000000 credits at once",
                   "auto_top_up.amount_usd");
  }
  out.top_up_threshold = **threshold;
  out.top_up_cents = **cents;
  out.top_up_fill = fill->value_or(false);
  return {};
}

std::optional<api_error> read_options(const json_value& body, const quota::plan_terms& terms,
                                      quota::account_options& out) {
  const auto overage = boolean_field(body, "overage");
  if (!overage) return overage.error();
  out.overage = overage->value_or(out.overage);

  const auto cap = usd_field(body, "spend_cap_usd", 2, quota::max_cents);
  if (!cap) return cap.error();
  if (*cap || is_null(body, "spend_cap_usd")) out.spend_cap_cents = *cap;

  const auto overdraft = amount_field(body, "critical_overdraft_credits");
  if (!overdraft) return overdraft.error();
  if (*overdraft || is_null(body, "critical_overdraft_credits")) {
    out.critical_overdraft = *overdraft;
  }

  const auto limits = list_field(body, "limits");
  if (!limits) return limits.error();
  if (*limits != nullptr) {
    auto read = read_limits(**limits);
    if (!read) return std::move(read).error();
    out.limits = *std::move(read);
  }
  if (is_null(body, "limits")) out.limits.clear();

  const auto alerts = list_field(body, "alerts");
  if (!alerts) return alerts.error();
  if (*alerts != nullptr) {
    auto read = read_alerts(**alerts);
    if (!read) return std::move(read).error();
    out.alerts = *std::move(read);
  }
  if (is_null(body, "alerts")) out.alerts.clear();
  return read_auto_top_up(body, terms, out);
}

}  // namespace

const body_fields& org_fields() {
  static const body_fields fields{
      {"plan", "plan_effective", "cycle_anchor", "overage", "spend_cap_usd",
       "critical_overdraft_credits", "auto_top_up", "limits", "alerts", "suspended", "mode",
       "stripe_customer", "terms"},
      {}};
  return fields;
}

std::optional<quota::plan_terms> resolve_terms(const quota::organization& org,
                                               const config::settings& settings) {
  if (org.plan.empty()) return quota::plan_terms{};
  const auto* plan = find_plan(org.plan, settings);
  if (plan == nullptr) return {};
  if (!plan->custom) return plan->terms;
  if (org.custom_terms && org.custom_terms->plan == org.plan) return org.custom_terms;
  return plan->terms;  // has only the plan's name
}

checked<org_request> read_org_request(const json_value& body, const quota::organization& now,
                                      const config::settings& settings) {
  org_request out;
  const auto plan = read_plan(body, now, settings, out);
  if (!plan) return plan.error();
  if (auto error = read_custom_terms(body, *plan, now, settings, out)) return *std::move(error);
  if (auto error = read_when(body, out)) return *std::move(error);
  if (auto error = read_switches(body, out)) return *std::move(error);

  auto then = now;
  then.plan = *plan;
  if (out.change.custom_terms) then.custom_terms = out.change.custom_terms;
  auto options = now.options;
  const auto terms = resolve_terms(then, settings).value_or(quota::plan_terms{});
  if (auto error = read_options(body, terms, options)) return *std::move(error);
  if (options != now.options) {
    out.change.options = std::move(options);
    out.change.instead_of = now.options;
  }
  return out;
}

}  // namespace tollgate::proxy::admin
