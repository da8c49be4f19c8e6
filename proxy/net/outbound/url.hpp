// Parses an http or https URL. Pure.
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
  std::string path;       // with the query, if any

  bool operator==(const url&) const = default;
};

// Empty if it is not an http or https URL, or contains a user or a password.
std::optional<url> parse_url(std::string_view text);

}  // namespace tollgate::proxy::outbound
