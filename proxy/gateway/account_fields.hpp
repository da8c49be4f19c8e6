// What an account has left, as its callers are told in every answer: forwarded ones and refusals.
#pragma once

#include <string>

#include "quota/ledger/operation.hpp"

namespace tollgate::proxy {

// Null: not known, or it has none.
struct account_facts {
  const quota::credits* remaining = nullptr;
  const quota::credits* charged = nullptr;
  const quota::credits* allocation = nullptr;  // of the plan, a month
  const quota::rate_status* rate = nullptr;    // requests
  quota::time_point now{};                     // with `rate`: the ledger's
};
// Complete lines.
void write_account_fields(std::string& out, const account_facts& facts);

}  // namespace tollgate::proxy
