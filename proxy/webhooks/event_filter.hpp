// Which events an endpoint wants. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::proxy::webhooks {

// All types: "account.usage_threshold", ... In the ledger they have no "account.".
std::span<const std::string> event_types();

// A type, "account.*" or "*".
bool is_event_filter(std::string_view text);

bool wants(const std::vector<std::string>& filters, std::string_view type);

}  // namespace tollgate::proxy::webhooks
