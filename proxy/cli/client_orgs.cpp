// tollgate org create|set|show|list|suspend|resume, and tollgate key create|list|revoke
#include <ostream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "proxy/cli/client_command.hpp"
#include "proxy/cli/org_arguments.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy {

namespace {

using admin::json_value;
using answer = std::variant<json_value, command_error>;

const std::vector<column>& org_columns() {
  static const std::vector<column> columns{{"ORG", "id"},
                                           {"PLAN", "plan"},
                                           {"MODE", "mode"},
                                           {"SUSPENDED", "suspended"},
                                           {"CREATED", "created_at"}};
  return columns;
}

// "agent a1"; empty: the whole organization.
std::string whose(const json_value& rule) {
  for (const auto* scope : {"agent", "conversation", "key"}) {
    if (const auto* id = rule.find(scope)) return std::string{scope} + " " + cell_text(id);
  }
  return {};
}

std::string limit_text(const json_value& limit) {
  return whose(limit) + ": " + cell_text(limit.find("credits")) + " credits per " +
         cell_text(limit.find("per"));
}

std::string alert_text(const json_value& alert) {
  if (!alert.is(json_value::kind::object)) return "at " + cell_text(&alert) + "% of the credits";
  if (const auto* percent = alert.find("spend_cap_percent")) {
    return "at " + cell_text(percent) + "% of the spend cap";
  }
  const auto* percent = alert.find("percent");
  const auto level = percent != nullptr ? cell_text(percent) + "% of the credits"
                                        : cell_text(alert.find("credits")) + " credits";
  const auto of = whose(alert);
  return of.empty() ? "at " + level : "of " + of + ": at " + level;
}

void print_org(std::ostream& out, const json_value& org) {
  print_fields(out,
               {{"organization", "id"},
                {"plan", "plan"},
                {"credits a cycle", "terms/credits"},
                {"USD a credit", "terms/overage_usd"},
                {"requests a minute", "terms/requests/per_minute"},
                {"at once", "terms/requests/burst"},
                {"cycle from", "cycle/start"},
                {"cycle to", "cycle/end"},
                {"then plan", "plan_change/plan"},
                {"overage", "overage"},
                {"spend cap USD", "spend_cap_usd"},
                {"top-up below", "auto_top_up/threshold_credits"},
                {"top-up USD", "auto_top_up/amount_usd"},
                {"top-up fills", "auto_top_up/fill"},
                {"critical overdraft", "critical_overdraft_credits"},
                {"mode", "mode"},
                {"suspended", "suspended"},
                {"stripe customer", "stripe_customer"},
                {"created", "created_at"}},
               org);
  for (const auto& limit : member_at(org, "limits")->elements) {
    out << "limit of " << limit_text(limit) << '\n';
  }
  for (const auto& alert : member_at(org, "alerts")->elements) {
    out << "alert " << alert_text(alert) << '\n';
  }
}

answer put_org(const admin_client& client, const org_arguments& given) {
  const auto body = body_of(given);
  if (const auto* error = std::get_if<command_error>(&body)) return *error;
  return client.call("PUT", org_path(given.org), std::get<std::string>(body));
}

answer create_org(const admin_client& client, const org_arguments& given) {
  int status = 0;
  auto found = client.call("GET", org_path(given.org), {}, {}, &status);
  if (std::holds_alternative<json_value>(found)) {
    return command_error{"organization " + given.org + " exists; `tollgate org set` changes it"};
  }
  if (status != 404) return found;
  return put_org(client, given);
}

answer set_org(const admin_client& client, const org_arguments& given) {
  auto found = client.call("GET", org_path(given.org));
  if (std::holds_alternative<command_error>(found)) return found;
  return put_org(client, given);
}

answer set_suspended(const admin_client& client, const std::string& org, bool suspended) {
  auto found = client.call("GET", org_path(org));
  if (std::holds_alternative<command_error>(found)) return found;
  return client.call("PUT", org_path(org),
                     suspended ? R"({"suspended":true})" : R"({"suspended":false})");
}

// All organizations, page by page.
answer list_orgs(const admin_client& client) {
  json_value all;
  all.type = json_value::kind::array;
  std::string after;
  for (;;) {
    const auto page =
        client.call("GET", "/admin/v1/orgs" + query_of({{"after", after}, {"limit", "1000"}}));
    const auto* data = std::get_if<json_value>(&page);
    if (data == nullptr) return page;
    for (const auto& org : member_at(*data, "orgs")->elements) all.elements.push_back(org);
    if (!member_at(*data, "has_more")->truth) return all;
    after = member_at(*data, "next_after")->text;
  }
}

void add_org_change(CLI::App& parent, int& exit_code, const char* name, const char* what,
                    answer (*action)(const admin_client&, const org_arguments&)) {
  const auto given = std::make_shared<org_arguments>();
  auto& made = org_command(parent, name, what, given->org);
  add_org_options(made, *given);
  make_client_command(
      made, exit_code, [given, action](const auto& client) { return action(client, *given); },
      print_org);
}

void add_suspension(CLI::App& parent, int& exit_code, const char* name, const char* what,
                    bool suspended) {
  const auto org = std::make_shared<std::string>();
  make_client_command(
      org_command(parent, name, what, *org), exit_code,
      [org, suspended](const auto& client) { return set_suspended(client, *org, suspended); },
      print_org);
}

answer create_key(const admin_client& client, const std::string& org, const std::string& note) {
  admin::json_writer body;
  body.begin_object().key("note").string_or_null(note).end_object();
  return client.call("POST", org_path(org, "/keys"), body.take());
}

void add_key_creation(CLI::App& keys, int& exit_code) {
  const auto org = std::make_shared<std::string>(), note = std::make_shared<std::string>();
  auto& create = org_command(keys, "create", "Create a key and show it once", *org);
  create.add_option("--note", *note, "a note");
  make_client_command(
      create, exit_code, [=](const auto& client) { return create_key(client, *org, *note); },
      [](std::ostream& out, const json_value& key) {
        out << cell_text(key.find("key")) << "\n"
            << "It is not shown again. Its id, for lists and revocation: "
            << cell_text(key.find("id")) << "\n";
      });
}

}  // namespace

void add_org_commands(CLI::App& app, int& exit_code) {
  auto* const orgs =
      app.add_subcommand("org", "Organizations: create, set, show, list, suspend, resume");
  orgs->require_subcommand(1);
  add_org_change(*orgs, exit_code, "create", "Create an organization", create_org);
  add_org_change(*orgs, exit_code, "set", "Change an organization", set_org);
  add_suspension(*orgs, exit_code, "suspend", "Suspend an organization: refuse all calls", true);
  add_suspension(*orgs, exit_code, "resume", "Resume a suspended organization", false);
  const auto org = std::make_shared<std::string>();
  make_client_command(
      org_command(*orgs, "show", "Show one organization", *org), exit_code,
      [org](const auto& client) { return client.call("GET", org_path(*org)); }, print_org);
  make_client_command(*orgs->add_subcommand("list", "List all organizations"), exit_code, list_orgs,
                      [](std::ostream& out, const json_value& all) {
                        print_table(out, org_columns(), all.elements);
                      });
}

void add_key_commands(CLI::App& app, int& exit_code) {
  auto* const keys = app.add_subcommand("key", "API keys of an organization: create, list, revoke");
  keys->require_subcommand(1);
  add_key_creation(*keys, exit_code);
  const auto org = std::make_shared<std::string>(), id = std::make_shared<std::string>();
  make_client_command(
      org_command(*keys, "list", "List the keys", *org), exit_code,
      [org](const auto& client) { return client.call("GET", org_path(*org, "/keys")); },
      [](std::ostream& out, const json_value& data) {
        print_table(
            out,
            {{"KEY", "id"}, {"CREATED", "created_at"}, {"REVOKED", "revoked_at"}, {"NOTE", "note"}},
            member_at(data, "keys")->elements);
      });
  auto& revoke =
      org_command(*keys, "revoke", "Revoke a key; it stops working within two seconds", *org);
  revoke.add_option("KEY_ID", *id, "the key's id: key_...")->required();
  make_client_command(
      revoke, exit_code,
      [=](const auto& client) {
        return client.call("DELETE", org_path(*org, "/keys/" + url_encode(*id)));
      },
      [](std::ostream& out, const json_value& data) {
        out << cell_text(data.find("id")) << " is revoked\n";
      });
}

}  // namespace tollgate::proxy
