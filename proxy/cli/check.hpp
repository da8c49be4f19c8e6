// `tollgate check`: validates a configuration.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "config/environment.hpp"
#include "config/setting_error.hpp"
#include "config/settings.hpp"

namespace CLI {
class App;
}

namespace tollgate::proxy {

// What a configuration names and this machine cannot give: files, directories, addresses.
using unusable_finder =
    std::function<std::vector<config::setting_error>(const config::settings& settings)>;

struct check_options {
  std::string config = "config/tollgate.yaml";
  config::environment env = config::process_environment();
  unusable_finder find_unusable{};  // if it is empty, only the file itself is checked
  unusable_finder find_doubtful{};  // warnings
};

// 0: prints one line about the content. 1: prints every problem on `err`, one per line.
int run_check(const check_options& options, std::ostream& out, std::ostream& err);

// The command runs while `app` is parsed and stores its exit code in `exit_code`.
void add_check_command(CLI::App& app, int& exit_code, unusable_finder find_unusable,
                       unusable_finder find_doubtful);

}  // namespace tollgate::proxy
