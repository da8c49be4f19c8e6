// The balance of an account as JSON: pure.
#pragma once

#include <string>

#include "quota/account_history.hpp"

namespace tollgate::proxy::admin {

std::string balance_json(const quota::org_id& org, const quota::account_snapshot& account);

}  // namespace tollgate::proxy::admin
