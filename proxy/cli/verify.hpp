// `tollgate verify`: proves every balance from the ledger. It opens the store itself, because it
// must also work without a running Tollgate.
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
  std::string org;  // empty: all organizations
  bool json = false;
  config::environment env = config::process_environment();
};

// One line per organization. 0: all books are correct; 1: some are not, or the store cannot be
// read; 2: the configuration is wrong.
int run_verify(const verify_options& options, const store_finder& find_store, std::ostream& out,
               std::ostream& err);

void add_verify_command(CLI::App& app, int& exit_code, const store_finder& find_store);

}  // namespace tollgate::proxy
