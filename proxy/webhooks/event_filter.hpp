// Which events an endpoint wants: pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::proxy::webhooks {

// The types there are: "account.usage_threshold", ... The ledger's own are without "account.".
std::span<const std::string> event_types();

// A type, "account.*" or "*".
bool is_event_filter(std::string_view text);

bool wants(const std::vector<std::string>& filters, std::string_view type);

}  // namespace tollgate::proxy::webhooks
