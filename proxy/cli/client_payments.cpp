// tollgate statement, and tollgate top-up list|buy|confirm|decline
#include <iostream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "proxy/cli/client_command.hpp"
#include "proxy/text/json_writer.hpp"

namespace tollgate::proxy {

namespace {

using admin::json_value;
using answer = std::variant<json_value, command_error>;

struct statement_arguments {
  std::string org, month;
  bool csv = false, all = false;
};

// The cycle that began last.
std::variant<std::string, command_error> latest_month(const admin_client& client,
                                                      const std::string& org) {
  const auto list = client.call("GET", org_path(org, "/statements"));
  if (const auto* error = std::get_if<command_error>(&list)) return *error;
  const auto& statements = member_at(std::get<json_value>(list), "statements")->elements;
  if (statements.empty()) {
    return command_error{"organization " + org +
                         " has no cycle yet; `tollgate org set` starts the first one"};
  }
  return cell_text(statements.back().find("month"));
}

// As text, or as JSON on request.
answer fetch_statement(const admin_client& client, const statement_arguments& given, bool json) {
  std::string path = org_path(given.org, "/statements");
  if (!given.all) {
    const auto month = given.month.empty() ? latest_month(client, given.org) : given.month;
    if (const auto* error = std::get_if<command_error>(&month)) return *error;
    path += "/" + url_encode(std::get<std::string>(month));
  }
  if (json || (given.all && !given.csv)) return client.call("GET", path);
  auto text = client.read(path, given.csv ? "text/csv" : "text/plain");
  if (auto* error = std::get_if<command_error>(&text)) return std::move(*error);
  json_value out;
  out.type = json_value::kind::string;
  out.text = std::get<std::string>(std::move(text));
  return out;
}

void print_statement(std::ostream& out, const json_value& data) {
  if (data.is(json_value::kind::string)) {
    out << data.text;
    return;
  }
  print_table(out,
              {{"MONTH", "month"},
               {"START", "cycle/start"},
               {"END", "cycle/end"},
               {"PLAN", "plan"},
               {"OPENING", "opening"},
               {"USAGE", "usage/credits"},
               {"CLOSING", "closing"},
               {"OVERAGE", "overage/credits"},
               {"USD", "overage/usd"},
               {"FINAL", "final"}},
              member_at(data, "statements")->elements);
}

void print_top_ups(std::ostream& out, const std::vector<json_value>& top_ups) {
  print_table(out,
              {{"TOP_UP", "id"},
               {"STATUS", "status"},
               {"USD", "amount_usd"},
               {"CREDITS", "credits"},
               {"AUTOMATIC", "automatic"},
               {"REQUESTED", "requested_at"},
               {"RESOLVED", "resolved_at"}},
              top_ups);
}

void print_top_up(std::ostream& out, const json_value& top_up) {
  print_top_ups(out, {top_up});
}

void add_purchase(CLI::App& top_ups, int& exit_code) {
  struct arguments {
    std::string org, usd;
    std::optional<std::string> idempotency_key;
  };
  const auto given = std::make_shared<arguments>();
  auto& buy = org_command(top_ups, "buy", "Buy credits now", given->org);
  buy.add_option("USD", given->usd, "the amount in dollars")->required();
  buy.add_option("--idempotency-key", given->idempotency_key,
                 "repeating the command with the same key buys once");
  make_client_command(
      buy, exit_code,
      [given](const auto& client) {
        admin::json_writer body;
        body.begin_object().key("amount_usd").string(given->usd).end_object();
        std::vector<std::pair<std::string, std::string>> headers;
        if (given->idempotency_key)
          headers.emplace_back("Idempotency-Key", *given->idempotency_key);
        return client.call("POST", org_path(given->org, "/top_ups"), body.take(), headers);
      },
      print_top_up);
}

void add_verdict(CLI::App& top_ups, int& exit_code, const char* name, const char* what,
                 const std::string& status) {
  const auto org = std::make_shared<std::string>(), id = std::make_shared<std::string>();
  auto& made = org_command(top_ups, name, what, *org);
  made.add_option("TOP_UP", *id, "the top-up's id")->required();
  make_client_command(
      made, exit_code,
      [=](const auto& client) {
        return client.call("POST", org_path(*org, "/top_ups/" + url_encode(*id)),
                           R"({"status":")" + status + "\"}");
      },
      print_top_up);
}

}  // namespace

void add_statement_command(CLI::App& app, int& exit_code) {
  const auto given = std::make_shared<statement_arguments>();
  auto& made = org_command(app, "statement", "Show the statement of a cycle", given->org);
  made.add_option("MONTH", given->month,
                  "the month in which the cycle began: 2026-01; default: the current cycle")
      ->type_name("YYYY-MM");
  made.add_flag("--all", given->all, "one line per cycle");
  made.add_flag("--csv", given->csv, "print CSV");
  make_client_command(
      made, exit_code,
      [given, &made](const auto& client) {
        return fetch_statement(client, *given, made.count("--json") > 0);
      },
      print_statement);
}

void add_top_up_commands(CLI::App& app, int& exit_code) {
  auto* const top_ups = app.add_subcommand("top-up", "Top-ups: list, buy, confirm, decline");
  top_ups->require_subcommand(1);
  const auto org = std::make_shared<std::string>();
  make_client_command(
      org_command(*top_ups, "list", "List the top-ups", *org), exit_code,
      [org](const auto& client) { return client.call("GET", org_path(*org, "/top_ups")); },
      [](std::ostream& out, const json_value& data) {
        print_top_ups(out, member_at(data, "top_ups")->elements);
      });
  add_purchase(*top_ups, exit_code);
  add_verdict(*top_ups, exit_code, "confirm", "Confirm the payment: grant the credits", "paid");
  add_verdict(*top_ups, exit_code, "decline", "Decline the payment", "declined");
}

}  // namespace tollgate::proxy
