// Whether a store and an archive have the same history. They do not if the store was restored from
// an older copy, or is another one: then the archive's last entry is missing from the store, or
// differs there. The last entry of an account is never dropped, so it can always be looked up.
#pragma once

#include <string>
#include <vector>

#include "proxy/archive/archive.hpp"
#include "quota/account_history.hpp"

namespace tollgate::proxy::archive {

// A short form of an entry; the same for an entry that was read back with repaired text.
std::string seal_of(const quota::ledger_entry& entry);

// Whether the store must have this entry. Not if the archive has none, and not if its position was
// moved by hand to entries that the store has dropped.
bool is_to_be_found(const position& at, const std::string& dropped_through);
// The position just before the archive's last entry: the entries after it begin with that entry.
std::string right_before(const position& at);
bool begins_with(const std::vector<quota::ledger_entry>& entries, const position& at);

// Both steps together. store_errc::archived: the entry was dropped meanwhile.
task<result<bool>> still_has(quota::account_history& history, quota::org_id org, position at,
                             std::string dropped_through);

}  // namespace tollgate::proxy::archive
