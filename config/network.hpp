// Networks: 10.0.0.0/8, fd00::/8, or one address.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "config/settings.hpp"

namespace tollgate::config {

// Empty: the text is neither an address nor ADDRESS/BITS, or bits after the prefix are set.
std::optional<network> parse_network(const std::string& text);

// `address` in the form of IPv6; IPv4 is mapped (::ffff:0:0/96).
bool contains(const network& all, std::span<const std::uint8_t, 16> address);

}  // namespace tollgate::config
