#include "proxy/cli/wrong_command.hpp"

#include <algorithm>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy {

namespace {

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* each : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(each->get_name());
  }
  return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* each : app.get_options()) {
    for (const auto& name : each->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string suggestion(const std::string& before, const std::string& wrong,
                       const std::vector<std::string>& known) {
  const auto near = routes::nearest(wrong, known);
  return near ? "; did you mean \"" + before + *near + "\"?" : std::string{};
}

}  // namespace

std::string wrong_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  const auto* at = &app;
  std::string path;
  for (const auto& argument : arguments) {
    const auto commands = commands_of(*at);
    if (argument.starts_with('-')) {
      const auto name = argument.substr(0, argument.find('='));
      const auto known = options_of(*at);
      if (!name.starts_with("--") || std::find(known.begin(), known.end(), name) != known.end()) {
        continue;
      }
      if (name == "--") break;
      const auto meant = suggestion("", name, known);
      if (!commands.empty() && meant.empty()) break;  // of a command that is missing
      return "unknown option " + routes::shown(name) + (path.empty() ? "" : " of " + path) + meant;
    }
    if (commands.empty()) continue;  // a command's own arguments
    if (std::find(commands.begin(), commands.end(), argument) == commands.end()) {
      const auto before = path.empty() ? "" : path + " ";
      return "unknown command " + routes::shown(before + argument) +
             suggestion(before, argument, commands);
    }
    at = at->get_subcommand(argument);
    path += (path.empty() ? "" : " ") + argument;
  }
  return {};
}

}  // namespace tollgate::proxy
