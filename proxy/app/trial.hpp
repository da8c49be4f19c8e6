// Uses what a configuration names as `tollgate run` does, to find what cannot be used: certificates
// and keys, directories, addresses, files. It changes nothing.
#pragma once

#include <vector>

#include "config/setting_error.hpp"
#include "config/settings.hpp"

namespace tollgate::proxy {

// All that cannot be used. An address that is taken is not among them, as in `nginx -t`: usually
// Tollgate itself has it. Nor is a directory that `run` would make, if it could.
std::vector<config::setting_error> find_unusable(const config::settings& settings);

// Settings that `run` warns about and uses as far as it can.
std::vector<config::setting_error> find_doubtful(const config::settings& settings);

// The files that a reload opens. Throws config::setting_error for the first that cannot be used.
void try_files(const config::settings& settings);

}  // namespace tollgate::proxy
