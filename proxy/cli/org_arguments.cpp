#include "proxy/cli/org_arguments.hpp"

#include <optional>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy {

namespace {

using admin::json_writer;
using problem = std::optional<command_error>;

problem wrong(const std::string& option, const std::string& form, const std::string& found) {
  return command_error{option + " takes " + form + ", not " + found, 2};
}

struct two_parts {
  std::string left, right;
};

// "1000:25"
std::optional<two_parts> split(const std::string& text, char separator) {
  const auto at = text.rfind(separator);
  if (at == text.npos || at == 0 || at + 1 == text.size()) return std::nullopt;
  return two_parts{text.substr(0, at), text.substr(at + 1)};
}

void write_text_or_null(json_writer& out, const char* name, const std::string& text,
                        std::string_view null_word) {
  if (!text.empty()) out.key(name).string_or_null(text == null_word ? "" : text);
}

problem write_switch(json_writer& out, const std::string& text) {
  if (text.empty()) return {};
  if (text != "on" && text != "off") return wrong("--overage", "on or off", text);
  out.key("overage").boolean(text == "on");
  return {};
}

problem write_auto_top_up(json_writer& out, const std::string& text) {
  if (text.empty()) return {};
  out.key("auto_top_up");
  if (text == "off") {
    out.null();
    return {};
  }
  constexpr std::string_view fill = ":fill";
  const bool fills = text.ends_with(fill);
  const auto parts = split(fills ? text.substr(0, text.size() - fill.size()) : text, ':');
  if (!parts) return wrong("--auto-top-up", "CREDITS:USD (1000:25), CREDITS:USD:fill or off", text);
  out.begin_object().key("threshold_credits").string(parts->left);
  out.key("amount_usd").string(parts->right);
  if (fills) out.key("fill").boolean(true);
  out.end_object();
  return {};
}

// "agent=a1:500/day". The id may contain any of these characters.
problem write_limit(json_writer& out, const std::string& text) {
  const auto form = "WHOSE=ID:CREDITS/PER (agent=a1:500/day, 'key=*:20/hour')";
  const auto equals = text.find('=');
  const auto rest = equals == text.npos ? std::nullopt : split(text.substr(equals + 1), '/');
  const auto limit = rest ? split(rest->left, ':') : std::nullopt;
  if (!limit || equals == 0) return wrong("--limit", form, text);
  out.begin_object().key(text.substr(0, equals)).string(limit->left);
  out.key("credits").string(limit->right).key("per").string(rest->right).end_object();
  return {};
}

problem write_limits(json_writer& out, const org_arguments& given) {
  if (given.limits.empty() && !given.no_limits) return {};
  if (!given.limits.empty() && given.no_limits) {
    return command_error{"--limit and --no-limits exclude each other", 2};
  }
  out.key("limits").begin_array();
  for (const auto& limit : given.limits) {
    if (auto error = write_limit(out, limit)) return error;
  }
  out.end_array();
  return {};
}

bool is_whole(const std::string& part) {
  return !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == part.npos;
}

// "50%"
std::optional<int> percentage(const std::string& text) {
  if (!text.ends_with('%') || !is_whole(text.substr(0, text.size() - 1))) return std::nullopt;
  return std::stoi(text);
}

// "50%", "spend-cap=90%", "credits=1000", "agent=a1:20%" or "agent=a1:500". A plain number is
// refused: to the API it is a percentage, and next to a limit it looks like credits.
bool write_alert(json_writer& out, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == text.npos || equals == 0) {
    const auto percent = percentage(text);
    if (percent) out.number(*percent);
    return percent.has_value();
  }
  const auto what = text.substr(0, equals), level = text.substr(equals + 1);
  if (what == "spend-cap") {
    const auto percent = percentage(level);
    if (percent) out.begin_object().key("spend_cap_percent").number(*percent).end_object();
    return percent.has_value();
  }
  if (what == "credits") {
    if (!level.empty()) out.begin_object().key("credits").string(level).end_object();
    return !level.empty();
  }
  const auto whose = split(level, ':');
  if (!whose) return false;
  out.begin_object().key(what).string(whose->left);
  if (const auto percent = percentage(whose->right)) {
    out.key("percent").number(*percent);
  } else {
    out.key("credits").string(whose->right);
  }
  out.end_object();
  return true;
}

problem write_alerts(json_writer& out, const org_arguments& given) {
  if (given.alerts.empty() && !given.no_alerts) return {};
  if (!given.alerts.empty() && given.no_alerts) {
    return command_error{"--alert and --no-alerts exclude each other", 2};
  }
  out.key("alerts").begin_array();
  for (const auto& alert : given.alerts) {
    if (write_alert(out, alert)) continue;
    return wrong("--alert", "50%, spend-cap=90%, credits=1000, agent=a1:20% or 'key=*:500'", alert);
  }
  out.end_array();
  return {};
}

// Whole numbers, as JSON numbers.
problem write_pair(json_writer& out, const std::string& option, const char* name,
                   const std::string& text, const char* left, const char* right) {
  if (text.empty()) return {};
  const auto parts = split(text, ':');
  if (!parts || !is_whole(parts->left) || !is_whole(parts->right)) {
    return wrong(option, "two whole numbers (100:1)", text);
  }
  out.key(name).begin_object().key(left).number(std::stoll(parts->left));
  out.key(right).number(std::stoll(parts->right)).end_object();
  return {};
}

problem write_terms(json_writer& out, const org_arguments& given) {
  const bool any = !given.terms.credits.empty() || !given.terms.overage_usd.empty() ||
                   !given.terms.top_up_minimum_usd.empty() || !given.terms.rollover.empty() ||
                   !given.terms.requests.empty();
  if (!any) return {};
  out.key("terms").begin_object();
  write_text_or_null(out, "credits", given.terms.credits, "");
  write_text_or_null(out, "overage_usd", given.terms.overage_usd, "");
  write_text_or_null(out, "top_up_minimum_usd", given.terms.top_up_minimum_usd, "");
  if (auto error = write_pair(out, "--terms-rollover", "rollover", given.terms.rollover,
                              "up_to_percent", "cycles")) {
    return error;
  }
  if (auto error = write_pair(out, "--terms-requests", "requests", given.terms.requests,
                              "per_minute", "burst")) {
    return error;
  }
  out.end_object();
  return {};
}

}  // namespace

void add_org_options(CLI::App& command, org_arguments& into) {
  command.add_option("--plan", into.plan, "a plan of the configuration, or none");
  command.add_option("--plan-effective", into.plan_effective, "now or next_cycle; default: now");
  command.add_option("--anchor", into.anchor,
                     "a date: cycles begin on its day of the month; default: today");
  command.add_option("--overage", into.overage,
                     "on or off: calls continue beyond the credits at the plan's price");
  command.add_option("--spend-cap", into.spend_cap,
                     "dollars per cycle for overage and automatic top-ups; or none");
  command.add_option("--auto-top-up", into.auto_top_up,
                     "CREDITS:USD: below CREDITS, buy for USD repeatedly; CREDITS:USD:fill: buy "
                     "what is missing at once; or off");
  command
      .add_option("--limit", into.limits,
                  "SCOPE=ID:CREDITS/PER: SCOPE is agent, conversation or key; ID an id, or * for "
                  "each by itself; PER hour, day, cycle or total. Repeatable; replaces all limits")
      ->allow_extra_args(false);
  command.add_flag("--no-limits", into.no_limits, "remove all limits");
  command
      .add_option("--alert", into.alerts,
                  "an alert of the use in a cycle: 50% (of its credits), spend-cap=90%, "
                  "credits=1000; for one agent, conversation or key, or * for each by itself: "
                  "SCOPE=ID:20% or SCOPE=ID:CREDITS. Repeatable; replaces all alerts")
      ->allow_extra_args(false);
  command.add_flag("--no-alerts", into.no_alerts, "remove all alerts");
  command.add_option("--critical-overdraft", into.critical_overdraft,
                     "credits that critical calls may use beyond everything; or none: any");
  command.add_option("--mode", into.mode, "enforce or shadow (meter everything, refuse nothing)");
  command.add_option("--stripe-customer", into.stripe_customer, "cus_..., or none");
  command.add_option("--terms-credits", into.terms.credits,
                     "for a custom plan: credits per cycle; these options replace its terms");
  command.add_option("--terms-overage-usd", into.terms.overage_usd, "the price of a credit");
  command.add_option("--terms-top-up-minimum-usd", into.terms.top_up_minimum_usd,
                     "the smallest top-up");
  command.add_option("--terms-rollover", into.terms.rollover,
                     "PERCENT:CYCLES: this share of unused credits moves on, for this many cycles");
  command.add_option("--terms-requests", into.terms.requests, "PER_MINUTE:BURST");
}

std::variant<std::string, command_error> body_of(const org_arguments& given) {
  json_writer out;
  out.begin_object();
  write_text_or_null(out, "plan", given.plan, "none");
  write_text_or_null(out, "plan_effective", given.plan_effective, "");
  write_text_or_null(out, "cycle_anchor", given.anchor, "");
  write_text_or_null(out, "mode", given.mode, "");
  write_text_or_null(out, "spend_cap_usd", given.spend_cap, "none");
  write_text_or_null(out, "critical_overdraft_credits", given.critical_overdraft, "none");
  write_text_or_null(out, "stripe_customer", given.stripe_customer, "none");
  if (auto error = write_switch(out, given.overage)) return *std::move(error);
  if (auto error = write_auto_top_up(out, given.auto_top_up)) return *std::move(error);
  if (auto error = write_limits(out, given)) return *std::move(error);
  if (auto error = write_alerts(out, given)) return *std::move(error);
  if (auto error = write_terms(out, given)) return *std::move(error);
  return out.end_object().take();
}

}  // namespace tollgate::proxy
