// The process: configuration, store, threads, signals.
#pragma once

#include <string>

namespace tollgate::proxy {

// Serves until SIGTERM or SIGINT. Returns the exit code.
int run(const std::string& config_file);

}  // namespace tollgate::proxy
