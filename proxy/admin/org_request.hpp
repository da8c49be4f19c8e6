// A PUT of an organization as a change, and the resulting terms. Pure.
#pragma once

#include <optional>

#include "config/settings.hpp"
#include "proxy/net/api/body.hpp"
#include "quota/directory.hpp"

namespace tollgate::proxy::admin {

const body_fields& org_fields();

struct org_request {
  quota::organization_change change;
  // When the terms take effect; empty: not given, so a pending change stays pending.
  std::optional<bool> at_once;
  int anchor_day = 0;  // 0: unchanged
};

// `now` is the current organization; anything the body does not mention stays unchanged.
checked<org_request> read_org_request(const json_value& body, const quota::organization& now,
                                      const config::settings& settings);

// The terms of the organization's plan: from the configuration, or the organization's own if the
// plan is custom; without a plan, empty terms. Nullopt: the configuration no longer has that plan.
std::optional<quota::plan_terms> resolve_terms(const quota::organization& org,
                                               const config::settings& settings);

// Members of an organization that are objects themselves, in the format in which they are read and
// written.
checked<quota::plan_terms> read_terms(const json_value& terms, std::string plan);
checked<std::vector<quota::spend_limit>> read_limits(const json_value& list);
// A number is a percentage of the cycle's credits; {"spend_cap_percent": 80} and {"credits": 500}
// measure something else; {"agent": "a1", "percent": 20} and {"agent": "*", "credits": 500} select
// whom to measure.
checked<std::vector<quota::usage_alert>> read_alerts(const json_value& list);

}  // namespace tollgate::proxy::admin
