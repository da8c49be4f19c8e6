// Shared by all commands that use the admin API.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <variant>

#include "proxy/cli/admin_client.hpp"
#include "proxy/cli/table.hpp"

namespace CLI {
class App;
}

namespace tollgate::proxy {

struct client_options : admin_client_options {
  bool json = false;
};

// Gives `command` the options --config, --admin and --json.
std::shared_ptr<client_options> add_client_options(CLI::App& command);

// Runs with an open client and returns the data to print.
using client_action =
    std::function<std::variant<admin::json_value, command_error>(const admin_client& client)>;
// Prints the answer for people.
using client_printer = std::function<void(std::ostream& out, const admin::json_value& data)>;

// Gives `command` these options and makes it run `action` and print the result: on standard output,
// or as JSON with --json. Errors go to standard error.
void make_client_command(CLI::App& command, int& exit_code, client_action action,
                         client_printer printer);

// The options only, for a command with several calls.
std::shared_ptr<client_options> add_client_options(CLI::App& command);

// Percent-encodes one segment of a path or one value of a query.
std::string url_encode(std::string_view text);
// "/admin/v1/orgs/ORG" and the rest
std::string org_path(const std::string& org, std::string_view rest = {});
// "?a=1&b=": all given parameters, also empty ones. The API distinguishes empty from missing.
std::string query_of(const std::vector<std::pair<std::string, std::string>>& parameters);

// A command on one organization, whose id is its argument.
CLI::App& org_command(CLI::App& parent, const char* name, const char* summary, std::string& org);

// The groups of commands.
void add_org_commands(CLI::App& app, int& exit_code);
void add_key_commands(CLI::App& app, int& exit_code);
void add_plan_commands(CLI::App& app, int& exit_code);
void add_account_commands(CLI::App& app, int& exit_code);
void add_events_command(CLI::App& app, int& exit_code);
void add_statement_command(CLI::App& app, int& exit_code);
void add_top_up_commands(CLI::App& app, int& exit_code);
void add_webhook_commands(CLI::App& app, int& exit_code);

}  // namespace tollgate::proxy
