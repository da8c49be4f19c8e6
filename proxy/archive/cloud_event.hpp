// A ledger entry or a statement as a CloudEvent 1.0 in JSON, one line each. Pure.
//
//   source   "tollgate/orgs/ORG"; with `id` it names an event permanently
//   id       the entry's id, or "statement-CYCLE"
//   type     "tollgate.ledger.settle", ..., "tollgate.statement"
//   subject  the hold or grant of an entry; the cycle of a statement
//   data     as in GET .../ledger and .../statements/{YYYY-MM}
#pragma once

#include <string>

#include "proxy/archive/archive.hpp"

namespace tollgate::proxy::archive {

std::string cloud_event(const quota::org_id& org, const quota::ledger_entry& entry);
std::string cloud_event(const quota::org_id& org, const final_statement& statement);

}  // namespace tollgate::proxy::archive
