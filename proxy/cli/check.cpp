#include "proxy/cli/check.hpp"

#include <iostream>
#include <memory>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "config/load.hpp"

namespace tollgate::proxy {
namespace {

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

int run_check(const check_options& options, std::ostream& out, std::ostream& err) {
  const auto loaded = config::load_file(options.config, options.env);
  if (const auto* errors = std::get_if<std::vector<config::config_error>>(&loaded)) {
    for (const auto& error : *errors) err << to_string(error) << '\n';
    return 1;
  }
  const auto& fine = std::get<config::configuration>(loaded);
  for (const auto& warning : fine.warnings) err << warning_text(warning) << '\n';
  const config::settings& values = fine.values;
  if (options.find_doubtful) {
    for (const auto& each : options.find_doubtful(values)) {
      err << warning_text(config::error_at(options.config, each.key, each.what())) << '\n';
    }
  }
  if (options.find_unusable) {
    const auto unusable = options.find_unusable(values);
    for (const auto& each : unusable) {
      err << to_string(config::error_at(options.config, each.key, each.what())) << '\n';
    }
    if (!unusable.empty()) return 1;
  }
  out << options.config << ": ok: " << counted(values.routes.size(), "route") << ", "
      << counted(values.rates.size(), "rate") << ", "
      << counted(values.upstreams.size(), "upstream") << ", "
      << counted(values.plans.size(), "plan") << '\n';
  return 0;
}

void add_check_command(CLI::App& app, int& exit_code, unusable_finder find_unusable,
                       unusable_finder find_doubtful) {
  auto* command =
      app.add_subcommand("check", "Validate a configuration, and open what it names as `run` does");
  auto options = std::make_shared<check_options>();
  auto only_file = std::make_shared<bool>(false);
  command->add_option("--config", options->config, "the configuration, in YAML")
      ->capture_default_str()
      ->type_name("FILE");
  command->add_flag("--only-file", *only_file,
                    "check the file alone: open no certificate, directory or address that it "
                    "names, for example on another machine");
  command->callback([=, &exit_code] {
    if (!*only_file) {
      options->find_unusable = find_unusable;
      options->find_doubtful = find_doubtful;
    }
    exit_code = run_check(*options, std::cout, std::cerr);
  });
}

}  // namespace tollgate::proxy
