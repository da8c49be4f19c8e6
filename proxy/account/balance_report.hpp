// The balance of an account as JSON: pure.
#pragma once

#include <string>

#include "quota/ledger_store.hpp"

namespace tollgate::proxy::admin {

std::string balance_json(const quota::org_id& org, const quota::account_snapshot& account);

}  // namespace tollgate::proxy::admin
