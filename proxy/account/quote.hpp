// Amounts under the plan in force: the credits that dollars buy, and a percentage of the plan's
// credits and of dollars. For previews before a purchase or a change. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/api/message.hpp"
#include "quota/plan.hpp"

namespace tollgate::proxy::admin {

struct quote_request {
  std::optional<std::int64_t> cents;    // amount_usd
  std::optional<std::int64_t> percent;  // 1 to max_alert_percent
};
// Of the query: `amount_usd`, `percent`, or both.
checked<quote_request> read_quote(std::string_view query);

// {"amount_usd","credits","enough","percent","percent_usd","percent_credits","minimum_usd","usd_per_credit"}.
// `credits` is null without a price, or where they are more than an account can hold; `enough` says
// whether the plan sells so little; what was not asked for is null.
std::string quote_json(const quote_request& asked, const quota::plan_terms& terms);

}  // namespace tollgate::proxy::admin
