// tollgate COMMAND: run, check, explain, meter, verify, and the admin API from a shell.
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "proxy/app/app.hpp"
#include "proxy/app/find_store.hpp"
#include "proxy/app/trial.hpp"
#include "proxy/cli/check.hpp"
#include "proxy/cli/client.hpp"
#include "proxy/cli/explain.hpp"
#include "proxy/cli/journal.hpp"
#include "proxy/cli/meter.hpp"
#include "proxy/cli/standard_output.hpp"
#include "proxy/cli/wrong_command.hpp"
#include "quota/redis/ledger_library.hpp"

namespace {

// Splits "--agent=" into "--agent" and "": CLI11 would take the next argument for the value.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments{argv, argv + argc};
  const auto end = std::find(arguments.begin(), arguments.end(), "--") - arguments.begin();
  for (auto i = end - 1; i > 0; --i) {
    auto& each = arguments[static_cast<std::size_t>(i)];
    if (!each.starts_with("--") || each.find('=') != each.size() - 1) continue;
    each.pop_back();
    arguments.insert(arguments.begin() + i + 1, "");
  }
  return arguments;
}

int run_command(const std::vector<std::string>& arguments) {
  CLI::App cli{"Tollgate: every call to an AI platform pays in credits, exactly once."};
  cli.set_version_flag("--version", TOLLGATE_VERSION);
  cli.require_subcommand(1);
  int exit_code = 0;

  std::string config_file = "config/tollgate.yaml";
  auto* const run = cli.add_subcommand("run", "Serve. SIGTERM drains, SIGHUP reloads.");
  run->add_option("--config", config_file, "The configuration, a YAML file")->capture_default_str();
  run->callback([&] { exit_code = tollgate::proxy::run(config_file); });

  auto* const library = cli.add_subcommand(
      "library", "Print the ledger's Redis Function library, for an administrator to load.");
  library->callback([] { std::cout << tollgate::quota::redis::ledger_library::current().text(); });

  tollgate::proxy::add_check_command(cli, exit_code, tollgate::proxy::find_unusable,
                                     tollgate::proxy::find_doubtful);
  tollgate::proxy::add_explain_command(cli, exit_code);
  tollgate::proxy::add_meter_command(cli, exit_code);
  tollgate::proxy::add_journal_command(cli, exit_code, tollgate::proxy::find_store);
  tollgate::proxy::add_client_commands(cli, exit_code, tollgate::proxy::find_store);

  try {
    std::vector<const char*> texts;
    for (const auto& each : arguments) texts.push_back(each.c_str());
    cli.parse(static_cast<int>(texts.size()), texts.data());
  } catch (const CLI::ParseError& error) {
    const auto wrong =
        error.get_exit_code() == 0
            ? std::string{}
            : tollgate::proxy::wrong_command(cli, {arguments.begin() + 1, arguments.end()});
    if (wrong.empty()) return cli.exit(error) == 0 ? 0 : 2;
    std::cerr << "tollgate: " << wrong << "\nRun with --help for more information.\n";
    return 2;
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  tollgate::proxy::standard_output output;
  return output.finish(run_command(arguments_of(argc, argv)));
}
