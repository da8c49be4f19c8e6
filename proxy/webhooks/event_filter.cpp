#include "proxy/webhooks/event_filter.hpp"

#include <algorithm>

namespace tollgate::proxy::webhooks {

namespace {

bool matches(std::string_view filter, std::string_view type) {
  if (!filter.ends_with('*')) return filter == type;
  return type.starts_with(filter.substr(0, filter.size() - 1));
}

}  // namespace

std::span<const std::string> event_types() {
  static const std::vector<std::string> types{"account.usage_threshold",
                                              "account.balance_exhausted",
                                              "account.spend_cap_reached",
                                              "account.top_up_requested",
                                              "account.top_up_completed",
                                              "account.top_up_failed",
                                              "account.cycle_closed",
                                              "account.overage_billed",
                                              "account.billing_updated",
                                              "account.suspended",
                                              "account.resumed"};
  return types;
}

bool is_event_filter(std::string_view text) {
  const auto types = event_types();
  return text == "*" || text == "account.*" || std::ranges::find(types, text) != types.end();
}

bool wants(const std::vector<std::string>& filters, std::string_view type) {
  return std::ranges::any_of(filters, [&](const auto& each) { return matches(each, type); });
}

}  // namespace tollgate::proxy::webhooks
