// `tollgate journal replay`: settles the charges in the journal of a killed Tollgate that will not
// be started again there.
#pragma once

#include <iosfwd>
#include <string>

#include "config/environment.hpp"
#include "proxy/cli/store_finder.hpp"

namespace CLI {
class App;
}

namespace tollgate::proxy {

struct journal_options {
  std::string config = "config/tollgate.yaml";  // for its store
  std::string directory;                        // empty: the configured one
  bool force = false;                           // also the calls of another store
  config::environment env = config::process_environment();
};

// 0: all of it is settled now, or was before. 1: the directory is in use or damaged, or the store
// is unavailable. 2: the configuration is wrong.
int run_journal_replay(const journal_options& options, const store_finder& find_store,
                       std::ostream& out, std::ostream& err);

void add_journal_command(CLI::App& app, int& exit_code, const store_finder& find_store);

}  // namespace tollgate::proxy
