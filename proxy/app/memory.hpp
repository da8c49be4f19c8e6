// The memory that callers can make this process use.
#pragma once

#include "config/settings.hpp"

namespace tollgate::proxy {

// Lowers `limits.connections` to what fits the memory, and logs it.
void fit_to_memory(config::settings& settings);

// At start, and when the configuration is replaced. Logs the bound if it has changed.
void bound_memory(const config::limit_settings& limits);

}  // namespace tollgate::proxy
