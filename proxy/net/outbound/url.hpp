// An http or https URL, taken apart. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::proxy::outbound {

struct url {
  bool tls = false;
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 80;
  std::string authority;  // for the Host field
  std::string path;       // with the query, if it has one

  bool operator==(const url&) const = default;
};

// Nothing: no http or https URL, or one with a user or a password in it.
std::optional<url> parse_url(std::string_view text);

}  // namespace tollgate::proxy::outbound
