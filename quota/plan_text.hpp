// Terms, options and limits as text: the directory's storage format, and the format sent to the
// ledger in Redis. Numbers are decimal integers; a field that may contain blanks comes last.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quota/plan.hpp"

namespace tollgate::quota {

// "ALLOCATION PERCENT CYCLES USD_MICRO MINIMUM_CENTS PER_MINUTE BURST PLAN"; PLAN may be empty.
std::string to_text(const plan_terms& terms);
// "OVERAGE CAP OVERDRAFT THRESHOLD CENTS" or "OVERAGE CAP OVERDRAFT THRESHOLD CENTS 1", the latter
// with `top_up_fill`; OVERAGE is 1 or 0, and -1 means "not set". The limits have a text of their
// own:
std::string to_text(const account_options& options);
// "SCOPE PER MOST ID" per limit, joined by line feeds; empty if there are none.
std::string limits_text(const std::vector<spend_limit>& limits);
// "KIND LEVEL" or "KIND LEVEL SCOPE ID" per alert, joined by line feeds.
std::string alerts_text(const std::vector<usage_alert>& alerts);

// The inverse. Empty if a text does not have the format above.
std::optional<plan_terms> parse_plan_terms(std::string_view text);
std::optional<account_options> parse_account_options(std::string_view options,
                                                     std::string_view limits,
                                                     std::string_view alerts = {});

}  // namespace tollgate::quota
