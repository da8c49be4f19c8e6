// Plans are configuration: if their terms change in the file, every organization with such a plan
// gets the new terms with its next cycle, automatically. Until then its old terms apply.
#pragma once

#include <memory>

#include "config/load.hpp"
#include "quota/account_history.hpp"
#include "quota/directory.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy::admin {

// Checks all organizations. It may be repeated or interrupted: the next start or reload begins
// again. The stores must outlive it.
task<> propagate_plan_terms(quota::ledger& ledger, quota::account_history& history,
                            quota::directory& directory,
                            std::shared_ptr<const config::configuration> configuration);

}  // namespace tollgate::proxy::admin
