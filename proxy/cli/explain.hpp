// `tollgate explain`: the price and the upstream of a request. The arguments are curl's; the
// classifier is the proxy's.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "config/environment.hpp"

namespace CLI {
class App;
}

namespace tollgate::proxy {

struct explain_options {
  std::string config = "config/tollgate.yaml";
  std::string method;                // empty: POST with data, GET without
  std::vector<std::string> headers;  // "name: value"
  std::vector<std::string>
      data;         // text, @FILE, or @- for standard input; several are joined with &
  std::string url;  // http(s)://host/path, host/path or /path
  bool json = false;
  config::environment env = config::process_environment();
};

// 0: it would be forwarded. 1: it would be refused. 2: the arguments or the configuration are
// wrong.
int run_explain(const explain_options& options, std::ostream& out, std::ostream& err);

// The command runs while `app` is parsed and stores its exit code in `exit_code`.
void add_explain_command(CLI::App& app, int& exit_code);

}  // namespace tollgate::proxy
