// tollgate plans list|apply
#include <ostream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "proxy/cli/client_command.hpp"

namespace tollgate::proxy {

namespace {

void print_plans(std::ostream& out, const admin::json_value& data) {
  static const std::vector<column> columns{{"PLAN", "plan"},
                                           {"CUSTOM", "custom"},
                                           {"CREDITS", "in_force/credits"},
                                           {"USD A CREDIT", "in_force/overage_usd"},
                                           {"CONFIGURED CREDITS", "configured/credits"},
                                           {"CONFIGURED USD", "configured/overage_usd"},
                                           {"CONFIRMED", "confirmed"}};
  print_table(out, columns, member_at(data, "plans")->elements);
  const auto* pending = member_at(data, "terms_pending");
  if (pending != nullptr && pending->truth) {
    out << "The terms in force have not reached all organizations yet.\n";
  }
}

}  // namespace

void add_plan_commands(CLI::App& app, int& exit_code) {
  auto* const plans = app.add_subcommand("plans", "The terms of plans: in force, and configured");
  plans->require_subcommand(1);
  make_client_command(
      *plans->add_subcommand("list", "List the plans of a Tollgate's configuration"), exit_code,
      [](const admin_client& client) { return client.call("GET", "/admin/v1/plans"); },
      print_plans);
  make_client_command(
      *plans->add_subcommand("apply",
                             "Put the terms of this Tollgate's configuration into force, for all "
                             "Tollgates at its store"),
      exit_code,
      [](const admin_client& client) { return client.call("POST", "/admin/v1/plans/apply"); },
      print_plans);
}

}  // namespace tollgate::proxy
