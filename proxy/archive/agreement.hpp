// Whether a store and an archive tell one story. They do not when the store was brought back from
// an older copy, or is another one: then the last entry of the archive is not in the store, or is
// another entry there. The last entry of an account is never dropped, so it can always be looked
// for.
#pragma once

#include <string>
#include <vector>

#include "proxy/archive/archive.hpp"
#include "quota/account_history.hpp"

namespace tollgate::proxy::archive {

// What an entry says, in short; the same for one that was read back, with its text repaired.
std::string seal_of(const quota::ledger_entry& entry);

// Whether there is an entry that the store must have: not where the archive has none, and not where
// it was moved by hand to what the store has dropped.
bool is_to_be_found(const position& at, const std::string& dropped_through);
// The entries after this one begin with the last entry of the archive.
std::string right_before(const position& at);
bool begins_with(const std::vector<quota::ledger_entry>& entries, const position& at);

// All of it at once. store_errc::archived: it was dropped meanwhile.
task<result<bool>> still_has(quota::account_history& history, quota::org_id org, position at,
                             std::string dropped_through);

}  // namespace tollgate::proxy::archive
