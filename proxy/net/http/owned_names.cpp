#include "proxy/net/http/owned_names.hpp"

#include <algorithm>

#include "proxy/net/http/field_rules.hpp"

namespace tollgate::proxy {

owned_names::owned_names(const config::settings& all, const config::upstream_settings& upstream) {
  const auto add = [this](std::string_view name) {
    if (!name.empty()) folded_.push_back(folded_field(name));
  };
  for (const auto& [name, value] : upstream.headers) add(name);
  for (const auto* name : upstream.identify.names()) add(*name);
  add(all.identity.agent_header);
  add(all.identity.conversation_header);
  for (const auto& name : all.identity.key_headers) add(name);
  for (const auto& route : all.routes) {
    for (const auto& [name, values] : route.match.headers) add(name);
  }
  std::sort(folded_.begin(), folded_.end());
}

bool owned_names::contains(std::string_view name) const {
  return std::binary_search(folded_.begin(), folded_.end(), folded_field(name));
}

}  // namespace tollgate::proxy
