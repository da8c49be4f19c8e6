// The system calls that Tollgate and its children may make.
#pragma once

#include <string>

namespace tollgate::proxy {

// Installs the filter for this thread and all that come after it, in this process and its children.
// It cannot be removed. Returns why it could not be installed; empty if it was.
std::string filter_system_calls();

}  // namespace tollgate::proxy
