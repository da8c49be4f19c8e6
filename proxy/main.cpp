// tollgate COMMAND: run, check, explain, meter, verify, and the admin API from a shell.
#include <CLI/CLI.hpp>

#include "proxy/app.hpp"
#include "proxy/cli/check.hpp"
#include "proxy/cli/client.hpp"
#include "proxy/cli/explain.hpp"
#include "proxy/cli/meter.hpp"

int main(int argc, char** argv) {
  CLI::App cli{"Tollgate: every call to an AI platform pays in credits, exactly once."};
  cli.set_version_flag("--version", TOLLGATE_VERSION);
  cli.require_subcommand(1);
  int exit_code = 0;

  std::string config_file = "config/tollgate.yaml";
  auto* const run = cli.add_subcommand("run", "Serve. SIGTERM drains, SIGHUP reloads.");
  run->add_option("--config", config_file, "The configuration, a YAML file")->capture_default_str();
  run->callback([&] { exit_code = tollgate::proxy::run(config_file); });

  tollgate::proxy::add_check_command(cli, exit_code);
  tollgate::proxy::add_explain_command(cli, exit_code);
  tollgate::proxy::add_meter_command(cli, exit_code);
  tollgate::proxy::add_client_commands(cli, exit_code);

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}
