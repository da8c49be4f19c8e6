// What the process gives up at its start, so that a fault in it is worth less to an attacker.
#pragma once

#include <string>

#include "config/settings.hpp"

namespace tollgate::proxy {

// New privileges for good; core dumps and debuggers; and every system call that neither Tollgate
// nor its children (the embedded redis-server) need: those then fail with EPERM. Call it before
// the first thread starts. Returns why there is no filter although the settings ask for one; empty
// otherwise.
std::string give_up_privileges(const config::hardening_settings& settings);

}  // namespace tollgate::proxy
