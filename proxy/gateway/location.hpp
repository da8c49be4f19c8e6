// Addresses to which an answer refers its client (Location, Content-Location, Refresh): an upstream
// that names itself there names an address that clients do not know.
#pragma once

#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace tollgate::proxy {

bool shows_location(std::string_view field);

// The value to send to the client: a URL of the upstream's own origin, or a path below its base
// path, becomes a path at the address that the client called. Anything else is unchanged.
std::string location_for_client(std::string_view field, std::string_view value,
                                const config::upstream_settings& upstream);

}  // namespace tollgate::proxy
