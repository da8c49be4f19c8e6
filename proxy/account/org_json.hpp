// Formats organizations, accounts and purchases for the APIs.
#pragma once

#include "proxy/text/json_writer.hpp"
#include "quota/account_history.hpp"
#include "quota/directory.hpp"

namespace tollgate::proxy::admin {

// The organization as in the directory. `account`, if given, adds the ledger's view: the current
// plan, a pending change of plan, and the cycle.
void write_org(json_writer& out, const quota::organization& org,
               const quota::account_snapshot* account = nullptr);

// {"threshold_credits","amount_usd"}, with "fill":true if one purchase lifts the balance to the
// threshold; or null. A top-up is at least the plan's minimum, so the larger amount is shown;
// `terms` may be null.
void write_auto_top_up(json_writer& out, const quota::account_options& options,
                       const quota::plan_terms* terms);

// {"id","kind","credits","remaining",...} of a grant that still has credits. `kept`: it has expired
// and is reserved for holds that were placed before.
void write_active_grant(json_writer& out, const quota::active_grant& grant, bool kept);

// {"credits","rollover","overage_usd","top_up_minimum_usd","requests"}
void write_terms(json_writer& out, const quota::plan_terms& terms);

void write_top_up(json_writer& out, const quota::top_up_record& top_up);

}  // namespace tollgate::proxy::admin
