// Plans are configuration: when their terms change in the file, every organization that has such a
// plan gets the new ones with its next cycle, without anybody's doing. Until then it has what it
// agreed to.
#pragma once

#include <memory>

#include "config/load.hpp"
#include "quota/account_history.hpp"
#include "quota/directory.hpp"
#include "quota/ledger.hpp"

namespace tollgate::proxy::admin {

// Looks through all organizations. Harmless to repeat, and to leave in the middle: the next
// start or reload begins again. The stores must outlive it.
task<> propagate_plan_terms(quota::ledger& ledger, quota::account_history& history,
                            quota::directory& directory,
                            std::shared_ptr<const config::configuration> configuration);

}  // namespace tollgate::proxy::admin
