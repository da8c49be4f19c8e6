// Pages of the ledger as JSON and CSV: pure.
#pragma once

#include <string>
#include <vector>

#include "proxy/admin/json_writer.hpp"
#include "proxy/admin/usage_units.hpp"
#include "quota/ledger_store.hpp"

namespace tollgate::proxy::admin {

void write_attribution(json_writer& out, const quota::attribution& who);

// Seconds of audio are told as such, `used` and `billed`, with their `unit`. What an earlier version wrote, and
// whether a count is of requests or queries, `units` knows by the configuration; without it the unit is null.
std::string entry_json(const quota::ledger_entry& entry, const usage_units& units = {});

// `after` is where a page without entries ends.
std::string entries_json(const std::vector<quota::ledger_entry>& entries, std::string_view after,
                         bool has_more, const usage_units& units = {});
std::string entries_csv(const std::vector<quota::ledger_entry>& entries,
                        const usage_units& units = {});

}  // namespace tollgate::proxy::admin
