// Formats pages of the ledger as JSON and CSV. Pure.
#pragma once

#include <string>
#include <vector>

#include "proxy/account/usage_units.hpp"
#include "proxy/text/json_writer.hpp"
#include "quota/account_history.hpp"

namespace tollgate::proxy::admin {

void write_attribution(json_writer& out, const quota::attribution& who);

// Seconds of audio have `used` and `billed` with their `unit`. A number of requests or queries has
// no unit, so that neither archive nor report depends on a configuration.
std::string entry_json(const quota::ledger_entry& entry);

// `after` is the position at which a page without entries ends.
std::string entries_json(const std::vector<quota::ledger_entry>& entries, std::string_view after,
                         bool has_more);
std::string entries_csv(const std::vector<quota::ledger_entry>& entries);

}  // namespace tollgate::proxy::admin
