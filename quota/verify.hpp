// Proves the books of an account from its ledger (`tollgate verify`) while the account is in use:
// it reads the data in an order in which nothing can be missed, and audits it.
#pragma once

#include <vector>

#include "quota/audit.hpp"
#include "quota/guards.hpp"

namespace tollgate::quota {

struct verification {
  std::size_t entries = 0;
  account_row row;  // as recorded
  std::vector<difference> differences;
};

task<result<verification>> verify(account_history& history, guard_store& guards, const org_id& org);

}  // namespace tollgate::quota
