// `tollgate check`: validates a configuration.
#pragma once

#include <iosfwd>
#include <string>

#include "config/environment.hpp"

namespace CLI {
class App;
}

namespace tollgate::proxy {

struct check_options {
  std::string config = "config/tollgate.yaml";
  config::environment env = config::process_environment();
};

// 0: one line about what the file holds. 1: every problem, a line each, on `err`.
int run_check(const check_options& options, std::ostream& out, std::ostream& err);

// The command runs while `app` is parsed and leaves its exit code in `exit_code`.
void add_check_command(CLI::App& app, int& exit_code);

}  // namespace tollgate::proxy
