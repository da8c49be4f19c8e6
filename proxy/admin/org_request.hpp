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
  // When the terms take effect; nothing: nothing was said, so a change that waits goes on waiting.
  std::optional<bool> at_once;
  int anchor_day = 0;  // 0: as it is
};

// `now` is the organization as it is; what the body does not mention stays so.
checked<org_request> read_org_request(const json_value& body, const quota::organization& now,
                                      const config::settings& settings);

// The terms of the organization's plan: the configuration's, or its own where the plan is custom,
// or none without a plan. Nothing: the configuration no longer has that plan.
std::optional<quota::plan_terms> resolve_terms(const quota::organization& org,
                                               const config::settings& settings);

// Members of an organization that are objects of their own, as they are read and written.
checked<quota::plan_terms> read_terms(const json_value& terms, std::string plan);
checked<std::vector<quota::spend_limit>> read_limits(const json_value& list);
// A number is a percentage of the cycle's credits; {"spend_cap_percent": 80} and {"credits": 500}
// say what else an alert can be about, {"agent": "a1", "percent": 20} and {"agent": "*", "credits":
// 500} about whom.
checked<std::vector<quota::usage_alert>> read_alerts(const json_value& list);

}  // namespace tollgate::proxy::admin
