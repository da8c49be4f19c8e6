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

// 0: prints one line about the content. 1: prints every problem on `err`, one per line.
int run_check(const check_options& options, std::ostream& out, std::ostream& err);

// The command runs while `app` is parsed and stores its exit code in `exit_code`.
void add_check_command(CLI::App& app, int& exit_code);

}  // namespace tollgate::proxy
