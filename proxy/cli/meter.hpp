// `tollgate meter`: the duration of audio and its price, by the proxy's meters, so that a bill can
// be checked file by file.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "config/environment.hpp"

namespace CLI {
class App;
}

namespace tollgate::proxy {

struct meter_options {
  std::vector<std::string> files;     // "-" is standard input
  std::optional<std::string> config;  // none: config/tollgate.yaml, and without that a price of
                                      // 5 credits per minute
  std::string rate;                   // empty: "tts", or else the first rate per minute
  std::string pcm;                    // "24000,1,16": raw samples without a header
  bool json = false;
  config::environment env = config::process_environment();
};

// 0: all files were measured. 1: some could not be. 2: the arguments or the configuration are
// wrong.
int run_meter(const meter_options& options, std::istream& in, std::ostream& out, std::ostream& err);

// The command runs while `app` is parsed and stores its exit code in `exit_code`.
void add_meter_command(CLI::App& app, int& exit_code);

}  // namespace tollgate::proxy
