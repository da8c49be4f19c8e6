#include "proxy/cli/client.hpp"

#include <iostream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "proxy/cli/client_command.hpp"
#include "proxy/cli/verify.hpp"

namespace tollgate::proxy {

namespace {

int run(const client_options& options, const client_action& action, const client_printer& printer) {
  const auto fail = [](const command_error& error) {
    std::cerr << "tollgate: " << error.message << '\n';
    return error.exit_code;
  };
  const auto client = admin_client::open(options);
  if (const auto* error = std::get_if<command_error>(&client)) return fail(*error);
  const auto answer = action(std::get<admin_client>(client));
  if (const auto* error = std::get_if<command_error>(&answer)) return fail(*error);
  const auto& data = std::get<admin::json_value>(answer);
  if (options.json) {
    print_json(std::cout, data);
  } else {
    printer(std::cout, data);
  }
  return 0;
}

}  // namespace

std::shared_ptr<client_options> add_client_options(CLI::App& command) {
  const auto options = std::make_shared<client_options>();
  command
      .add_option("--config", options->config, "a configuration, for its admin address and token")
      ->type_name("FILE");
  command
      .add_option("--admin", options->url,
                  "the admin listener; also TOLLGATE_ADMIN_URL, with TOLLGATE_ADMIN_TOKEN")
      ->type_name("URL");
  command.add_flag("--json", options->json, "print the answer as JSON");
  return options;
}

void make_client_command(CLI::App& command, int& exit_code, client_action action,
                         client_printer printer) {
  const auto options = add_client_options(command);
  command.callback([options, &exit_code, action = std::move(action), printer = std::move(printer)] {
    exit_code = run(*options, action, printer);
  });
}

std::string url_encode(std::string_view text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char character : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(character)) != 0 ||
                       std::string_view{"-._~:,"}.find(character) != std::string_view::npos;
    if (plain) {
      out += character;
      continue;
    }
    const auto byte = static_cast<unsigned char>(character);
    out += {'%', hex[byte >> 4], hex[byte & 15]};
  }
  return out;
}

std::string org_path(const std::string& org, std::string_view rest) {
  return "/admin/v1/orgs/" + url_encode(org) + std::string{rest};
}

CLI::App& org_command(CLI::App& parent, const char* name, const char* summary, std::string& org) {
  auto* const made = parent.add_subcommand(name, summary);
  made->add_option("ORG", org, "the organization's id")->required();
  return *made;
}

std::string query_of(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    out += (out.empty() ? "?" : "&") + name + "=" + url_encode(value);
  }
  return out;
}

void add_client_commands(CLI::App& app, int& exit_code, const store_finder& find_store) {
  add_org_commands(app, exit_code);
  add_key_commands(app, exit_code);
  add_plan_commands(app, exit_code);
  add_account_commands(app, exit_code);
  add_top_up_commands(app, exit_code);
  add_webhook_commands(app, exit_code);
  add_statement_command(app, exit_code);
  add_events_command(app, exit_code);
  add_verify_command(app, exit_code, find_store);
}

}  // namespace tollgate::proxy
