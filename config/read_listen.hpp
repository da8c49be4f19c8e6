// The listener for calls: an address, or a map with `address` and options.
#pragma once

#include "config/reader.hpp"
#include "config/settings.hpp"

namespace tollgate::config {

std::optional<listen_settings> read_listen(context& in, const node& from);

}  // namespace tollgate::config
