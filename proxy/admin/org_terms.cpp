// Parses the terms and limits of an organization from JSON.
#include <algorithm>
#include <array>

#include "proxy/admin/org_request.hpp"
#include "proxy/text/text.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

using quota::limit_scope;
using quota::limit_window;

constexpr std::array scopes{limit_scope::agent, limit_scope::conversation, limit_scope::key};
constexpr std::array windows{limit_window::hour, limit_window::day, limit_window::cycle,
                             limit_window::total};

std::optional<api_error> read_rollover(const json_value& terms, quota::plan_terms& out) {
  const auto rollover = object_field(terms, "rollover", {{"up_to_percent", "cycles"}, {}});
  if (!rollover) return rollover.error();
  if (*rollover == nullptr) return {};
  const auto percent = whole_field(**rollover, "up_to_percent", 1, 1000);
  if (!percent) return inside("rollover", percent.error());
  const auto cycles = whole_field(**rollover, "cycles", 1, 120);
  if (!cycles) return inside("rollover", cycles.error());
  if (!*percent || !*cycles) return invalid("rollover needs up_to_percent and cycles", "rollover");
  out.rollover_percent = static_cast<int>(**percent);
  out.rollover_cycles = static_cast<int>(**cycles);
  return {};
}

std::optional<api_error> read_requests(const json_value& terms, quota::plan_terms& out) {
  const auto requests = object_field(terms, "requests", {{"per_minute", "burst"}, {}});
  if (!requests) return requests.error();
  if (*requests == nullptr) return {};
  const auto per_minute = whole_field(**requests, "per_minute", 1, quota::max_requests_per_minute);
  if (!per_minute) return inside("requests", per_minute.error());
  const auto burst = whole_field(**requests, "burst", 1, quota::max_requests_per_minute);
  if (!burst) return inside("requests", burst.error());
  if (!*per_minute || !*burst) return invalid("requests needs per_minute and burst", "requests");
  out.requests_per_minute = **per_minute;
  out.burst = **burst;
  return {};
}

struct limit_owner {
  limit_scope scope;
  std::string id;
};

api_error nobody(limit_scope scope) {
  return invalid("an id, or \"*\" for each of them by itself", std::string{to_string(scope)});
}

// At most one of agent, conversation and key.
checked<std::optional<limit_owner>> read_scope(const json_value& object) {
  std::optional<limit_owner> found;
  for (const auto scope : scopes) {
    auto id = text_field(object, to_string(scope), 256);
    if (!id) return id.error();
    if (!*id) continue;
    if (found) return invalid("one of agent, conversation and key, not several");
    if ((*id)->empty()) return nobody(scope);
    found = limit_owner{scope, **std::move(id)};
  }
  return found;
}

checked<limit_window> read_window(const json_value& limit) {
  const auto per = text_field(limit, "per", 64);
  if (!per) return per.error();
  for (const auto window : windows) {
    if (*per && **per == to_string(window)) return window;
  }
  return invalid("per must be hour, day, cycle or total", "per");
}

checked<quota::spend_limit> read_limit(const json_value& limit) {
  static const body_fields fields{{"agent", "conversation", "key", "credits", "per"}, {}};
  if (!limit.is(json_value::kind::object)) {
    return invalid("an object, not " + std::string{limit.describe()});
  }
  if (auto error = refuse_unknown(limit, fields)) return *std::move(error);
  auto of = read_scope(limit);
  if (!of) return of.error();
  if (!*of) return invalid("one of \"agent\", \"conversation\" and \"key\" is required");
  const auto most = amount_field(limit, "credits");
  if (!most) return most.error();
  if (!*most) return invalid("credits is required: {\"credits\": 500}", "credits");
  const auto per = read_window(limit);
  if (!per) return per.error();
  return quota::spend_limit{(*of)->scope, std::move((*of)->id), **most, *per};
}

}  // namespace

checked<quota::plan_terms> read_terms(const json_value& terms, std::string plan) {
  quota::plan_terms out;
  out.plan = std::move(plan);
  const auto allocation = amount_field(terms, "credits");
  if (!allocation) return allocation.error();
  if (!*allocation) return invalid("credits is required: the credits of a cycle", "credits");
  out.allocation = **allocation;
  const auto price = usd_field(terms, "overage_usd", 6, quota::max_usd_micro_per_credit);
  if (!price) return price.error();
  out.usd_micro_per_credit = price->value_or(0);
  const auto minimum = usd_field(terms, "top_up_minimum_usd", 2, quota::max_cents);
  if (!minimum) return minimum.error();
  out.top_up_minimum_cents = minimum->value_or(0);
  if (out.top_up_minimum_cents > 0 && out.usd_micro_per_credit == 0) {
    return invalid("top_up_minimum_usd needs overage_usd, the price of a credit",
                   "top_up_minimum_usd");
  }
  if (auto error = read_rollover(terms, out)) return *std::move(error);
  if (!terms_fit(out)) {
    return invalid(
        "credits with rollover may not exceed 4000000000: \"credits\" times (1 + cycles x up_to)",
        "credits");
  }
  if (auto error = read_requests(terms, out)) return *std::move(error);
  return out;
}

checked<std::vector<quota::spend_limit>> read_limits(const json_value& list) {
  if (list.elements.size() > quota::max_limits) {
    return invalid("at most " + std::to_string(quota::max_limits) + " limits", "limits");
  }
  std::vector<quota::spend_limit> out;
  for (const auto& element : list.elements) {
    const auto where = "limits[" + std::to_string(out.size()) + "]";
    auto limit = read_limit(element);
    if (!limit) return inside(where, std::move(limit).error());
    const auto same = [&](const quota::spend_limit& other) {
      return other.scope == limit->scope && other.id == limit->id && other.per == limit->per;
    };
    if (std::any_of(out.begin(), out.end(), same)) {
      return invalid(where + ": is duplicated", where);
    }
    out.push_back(*std::move(limit));
  }
  return out;
}

namespace {

// A whole number from 1 to `most`, in plain decimal digits.
std::optional<std::int64_t> percentage(const json_value& value, std::int64_t most) {
  const auto& text = value.text;
  const bool whole = value.is(json_value::kind::number) && !text.empty() && text.size() <= 4 &&
                     std::all_of(text.begin(), text.end(), routes::is_digit);
  if (!whole) return std::nullopt;
  const auto percent = std::stoll(text);
  if (percent < 1 || percent > most) return std::nullopt;
  return percent;
}

// What an alert object measures, and its level; `scoped`: of an agent, a conversation or a key.
checked<quota::usage_alert> read_level(const json_value& alert, bool scoped) {
  const auto* of_cap = alert.find("spend_cap_percent");
  const auto* share = alert.find("percent");
  const bool absolute = alert.find("credits") != nullptr;
  if (scoped && of_cap != nullptr) {
    return invalid(
        "spend_cap_percent is for the whole organization: it takes no agent, conversation or key",
        "spend_cap_percent");
  }
  if (!scoped && share != nullptr) {
    return invalid(
        "percent needs an agent, a conversation or a key; for the whole organization, use a plain "
        "number: 50",
        "percent");
  }
  if ((of_cap != nullptr) + (share != nullptr) + absolute != 1) {
    return invalid(scoped ? "needs one of percent and credits"
                          : "needs one member: spend_cap_percent or credits");
  }
  if (of_cap != nullptr) {
    const auto percent = percentage(*of_cap, 100);
    if (percent) return quota::usage_alert{quota::alert_kind::spend_cap_percent, *percent};
    return invalid("spend_cap_percent must be 1 to 100", "spend_cap_percent");
  }
  if (share != nullptr) {
    const auto percent = percentage(*share, quota::max_alert_percent);
    if (percent) return quota::usage_alert{quota::alert_kind::allocation_percent, *percent};
    return invalid("percent must be 1 to 1000", "percent");
  }
  const auto credits = amount_field(alert, "credits");
  if (!credits) return credits.error();
  if (!*credits || **credits == quota::credits{})
    return invalid("credits must be above 0", "credits");
  return quota::usage_alert{quota::alert_kind::credits_used, (*credits)->micro()};
}

checked<quota::usage_alert> read_alert(const json_value& element) {
  if (!element.is(json_value::kind::object)) {
    const auto percent = percentage(element, quota::max_alert_percent);
    if (percent) return quota::usage_alert{quota::alert_kind::allocation_percent, *percent};
    return invalid(
        "must be a percentage of the cycle's credits (1 to 1000), or {\"spend_cap_percent\": 80}, "
        "or {\"credits\": 500}, or of one {\"agent\": \"a1\", \"percent\": 20}");
  }
  static const body_fields fields{
      {"spend_cap_percent", "credits", "percent", "agent", "conversation", "key"}, {}};
  if (auto error = refuse_unknown(element, fields)) return *std::move(error);
  auto of = read_scope(element);
  if (!of) return of.error();
  for (const auto scope :
       scopes) {  // a null name must not widen the alert to the whole organization
    if (is_null(element, to_string(scope))) return nobody(scope);
  }
  auto level = read_level(element, of->has_value());
  if (!level || !*of) return level;
  level->scope = (*of)->scope;
  level->id = std::move((*of)->id);
  return level;
}

}  // namespace

checked<std::vector<quota::usage_alert>> read_alerts(const json_value& list) {
  if (list.elements.size() > quota::max_alerts) {
    return invalid("at most " + std::to_string(quota::max_alerts) + " alerts", "alerts");
  }
  std::vector<quota::usage_alert> out;
  for (const auto& element : list.elements) {
    const auto where = "alerts[" + std::to_string(out.size()) + "]";
    auto alert = read_alert(element);
    if (!alert) return inside(where, std::move(alert).error());
    if (std::find(out.begin(), out.end(), *alert) != out.end()) {
      return invalid(where + ": is duplicated", where);
    }
    out.push_back(*std::move(alert));
  }
  return out;
}

}  // namespace tollgate::proxy::admin
