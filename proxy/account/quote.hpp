// Amounts under the current plan: the credits that dollars buy, and a percentage of the plan's
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
// From the query: `amount_usd`, `percent`, or both.
checked<quote_request> read_quote(std::string_view query);

// {"amount_usd","credits","enough","percent","percent_usd","percent_credits",
// "minimum_usd","usd_per_credit"}.
// `credits` is null without a price, or if an account cannot hold that many; `enough` says whether
// the amount reaches the plan's minimum; figures that were not requested are null.
std::string quote_json(const quote_request& asked, const quota::plan_terms& terms);

}  // namespace tollgate::proxy::admin
