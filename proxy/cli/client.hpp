// The admin API from a shell: `tollgate org|key|grant|balance|usage|ledger|holds`, and `verify`,
// which reads the store itself. Tables for people, --json for programs. Exit status 0: done, 1:
// refused or unreachable, 2: the arguments or the configuration are wrong.
#pragma once

#include "proxy/cli/store_finder.hpp"

namespace CLI {
class App;
}

namespace tollgate::proxy {

// The commands run while `app` is parsed and store their exit code in `exit_code`.
void add_client_commands(CLI::App& app, int& exit_code, const store_finder& find_store);

}  // namespace tollgate::proxy
