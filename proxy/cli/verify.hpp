// `tollgate verify`: proves every balance from the ledger. It opens the store itself, because it
// must also work when no Tollgate runs.
#pragma once

#include <iosfwd>
#include <string>

#include "config/environment.hpp"
#include "proxy/cli/store_finder.hpp"

namespace CLI {
class App;
}

namespace tollgate::proxy {

struct verify_options {
  std::string config;
  std::string org;  // empty: all of them
  bool json = false;
  config::environment env = config::process_environment();
};

// One line an organization. 0: all books add up; 1: some do not, or the store cannot be read; 2:
// the configuration is wrong.
int run_verify(const verify_options& options, const store_finder& find_store, std::ostream& out,
               std::ostream& err);

void add_verify_command(CLI::App& app, int& exit_code, const store_finder& find_store);

}  // namespace tollgate::proxy
