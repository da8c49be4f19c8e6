// The fields with which every answer, forwarded or refused, tells callers what their account has
// left.
#pragma once

#include <string>

#include "quota/ledger/operation.hpp"

namespace tollgate::proxy {

// Null: not known, or the account has none.
struct account_facts {
  const quota::credits* remaining = nullptr;
  const quota::credits* charged = nullptr;
  const quota::credits* allocation = nullptr;  // of the plan, per month
  const quota::rate_status* rate = nullptr;    // requests
  quota::time_point now{};                     // with `rate`: the ledger's
};
// Complete lines.
void write_account_fields(std::string& out, const account_facts& facts);

}  // namespace tollgate::proxy
