// tollgate grant|balance|usage|projection|ledger|holds
#include <algorithm>
#include <iostream>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "proxy/cli/client_command.hpp"
#include "proxy/text/json_writer.hpp"
#include "quota/credits.hpp"

namespace tollgate::proxy {

namespace {

using admin::json_value;
using answer = std::variant<json_value, command_error>;

struct grant_arguments {
  std::string org, credits, kind = "purchase", note, expires;
  std::optional<std::string> idempotency_key;
};

answer give(const admin_client& client, const grant_arguments& given) {
  const auto amount = quota::parse_credits(given.credits);
  if (!amount) {
    return command_error{
        "CREDITS must be a decimal number with at most six decimals, not " + given.credits, 2};
  }
  admin::json_writer body;
  body.begin_object().key("credits").number(*amount).key("kind").string(given.kind);
  body.key("note").string_or_null(given.note);
  body.key("expires_at").string_or_null(given.expires).end_object();
  std::vector<std::pair<std::string, std::string>> headers;
  if (given.idempotency_key) headers.emplace_back("Idempotency-Key", *given.idempotency_key);
  return client.call("POST", org_path(given.org, "/grants"), body.take(), headers);
}

void print_grant(std::ostream& out, const json_value& grant) {
  print_table(out,
              {{"GRANT", "id"},
               {"CREDITS", "credits"},
               {"KIND", "kind"},
               {"AT", "created_at"},
               {"EXPIRES", "expires_at"},
               {"NOTE", "note"}},
              {grant});
}

void print_balance(std::ostream& out, const json_value& balance) {
  print_fields(out,
               {{"available", "available"},
                {"held", "held"},
                {"granted", "granted"},
                {"settled", "settled"},
                {"expired", "expired"},
                {"overage", "overage/credits"},
                {"overage USD", "overage/usd"},
                {"overage allowed", "overage/allowed"},
                {"spend cap USD", "spend_cap/usd"},
                {"of it used", "spend_cap/used_usd"},
                {"top-up below", "auto_top_up/threshold_credits"},
                {"top-up USD", "auto_top_up/amount_usd"},
                {"plan", "plan"},
                {"cycle from", "cycle/start"},
                {"cycle to", "cycle/end"}},
               balance);
  out << "\nGrants, in burn-down order:\n";
  print_table(out,
              {{"GRANT", "id"},
               {"KIND", "kind"},
               {"CREDITS", "credits"},
               {"REMAINING", "remaining"},
               {"EXPIRES", "expires_at"},
               {"KEPT", "kept"}},
              member_at(balance, "grants")->elements);
}

void say_if_there_is_more(const json_value& page) {
  if (!member_at(page, "has_more")->truth) return;
  std::cerr << "more: --after " << cell_text(page.find("next_after")) << '\n';
}

void print_usage(std::ostream& out, const json_value& report) {
  std::vector<column> columns{{"START", "start"}};
  for (const auto& name : member_at(report, "group_by")->elements) {
    std::string heading = name.text;
    for (auto& letter : heading) letter = static_cast<char>(std::toupper(letter));
    columns.push_back({heading, name.text});
  }
  columns.push_back({"CALLS", "calls"});
  columns.push_back({"CREDITS", "credits"});
  const auto& rows = member_at(report, "rows")->elements;
  if (!rows.empty() && rows.front().find("unit") != nullptr) {
    columns.push_back({"USED", "used"});
    columns.push_back({"UNIT", "unit"});
  }
  print_table(out, columns, rows);
  out << "total from " << cell_text(report.find("from")) << " to " << cell_text(report.find("to"))
      << ": " << cell_text(member_at(report, "total/credits")) << " credits in "
      << cell_text(member_at(report, "total/calls")) << " calls\n";
  say_if_there_is_more(report);
}

void print_projection(std::ostream& out, const json_value& data) {
  print_fields(out,
               {{"cycle from", "cycle/start"},
                {"cycle to", "cycle/end"},
                {"used so far", "used"},
                {"expected", "credits/expected"},
                {"at least", "credits/low"},
                {"at most", "credits/high"},
                {"overage USD", "overage_usd/expected"},
                {"at least", "overage_usd/low"},
                {"at most", "overage_usd/high"},
                {"runs out", "runs_out_at"},
                {"days seen", "observed_days"}},
               data);
}

void print_entries(std::ostream& out, const json_value& page) {
  print_table(out,
              {{"ID", "id"},
               {"AT", "at"},
               {"TYPE", "type"},
               {"CREDITS", "credits"},
               {"AVAILABLE", "available"},
               {"ROUTE", "route"},
               {"MODEL", "model"},
               {"AGENT", "agent"},
               {"KEY", "key"},
               {"KIND", "kind"},
               {"SUBJECT", "subject"}},
              member_at(page, "entries")->elements);
  say_if_there_is_more(page);
}

void print_holds(std::ostream& out, const json_value& data) {
  print_table(out,
              {{"HOLD", "id"},
               {"CREDITS", "credits"},
               {"CREATED", "created_at"},
               {"EXPIRES", "expires_at"},
               {"ROUTE", "route"},
               {"MODEL", "model"},
               {"AGENT", "agent"},
               {"REQUEST", "request_id"}},
              member_at(data, "holds")->elements);
}

void add_grant(CLI::App& app, int& exit_code) {
  const auto given = std::make_shared<grant_arguments>();
  auto& grant = org_command(app, "grant", "Give credits", given->org);
  grant.add_option("CREDITS", given->credits, "the number; negative for a correction")->required();
  grant.add_option("--kind", given->kind, "purchase, promotion or correction")
      ->capture_default_str();
  grant.add_option("--note", given->note, "a note");
  grant.add_option("--expires", given->expires,
                   "2027-01-31 or 2027-01-31T10:00:00Z; default: never");
  grant.add_option("--idempotency-key", given->idempotency_key,
                   "repeating the command with the same key grants once");
  make_client_command(
      grant, exit_code, [given](const auto& client) { return give(client, *given); }, print_grant);
}

struct parameter {
  const char *name, *help;
  bool repeatable = false;
};

struct reading_arguments {
  std::string org, resource;
  std::vector<std::pair<std::string, std::vector<std::string>>>
      given;  // each with all of its values
  bool csv = false;

  std::string target(std::vector<std::pair<std::string, std::string>> query = {}) const {
    for (const auto& [name, values] : given) {
      for (const auto& value : values) query.emplace_back(name, value);
    }
    return org_path(org, resource) + query_of(query);
  }
  bool has(std::string_view name) const {
    return std::any_of(given.begin(), given.end(), [&](const auto& each) {
      return each.first == name && !each.second.empty();
    });
  }
};

// All pages with a single heading, or one page with the requested number of rows.
answer print_csv(const admin_client& client, const reading_arguments& given,
                 const std::string& largest_page) {
  const bool one_page = given.has("limit");
  auto target = one_page ? given.target() : given.target({{"limit", largest_page}});
  for (bool first = true; !target.empty(); first = false) {
    const auto read = client.read_page(target, "text/csv");
    if (const auto* error = std::get_if<command_error>(&read)) return *error;
    const auto& page = std::get<admin_client::page>(read);
    std::string_view rows = page.body;
    if (!first) rows.remove_prefix(std::min(rows.size(), rows.find('\n') + 1));
    if (!(std::cout << rows << std::flush)) break;  // the end of the command says why
    if (one_page && !page.next.empty()) std::cerr << "more rows; without --limit all are printed\n";
    target = one_page ? std::string{} : page.next;
  }
  return json_value{};
}

// Adds a command that reads the resource with its name, with the resource's parameters as options.
// `csv_page`: whether it has CSV, and the maximum length of its pages.
void add_reading(CLI::App& app, int& exit_code, const char* name, const char* what,
                 const std::vector<parameter>& parameters, client_printer printer,
                 const std::string& csv_page = {}) {
  const auto given = std::make_shared<reading_arguments>();
  given->resource = std::string{"/"} + name;
  auto& reading = org_command(app, name, what, given->org);
  given->given.reserve(parameters.size());  // options point into it
  for (const auto& each : parameters) {
    auto& values = given->given.emplace_back(each.name, std::vector<std::string>{}).second;
    std::string option = std::string{"--"} + each.name;
    for (auto& letter : option) letter = letter == '_' ? '-' : letter;
    reading.add_option(option, values, each.help)
        ->type_name("TEXT")
        ->expected(1)
        ->multi_option_policy(each.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                              : CLI::MultiOptionPolicy::Throw);
  }
  make_client_command(
      reading, exit_code,
      [given, csv_page](const auto& client) -> answer {
        if (given->csv) return print_csv(client, *given, csv_page);
        return client.call("GET", given->target());
      },
      [given, printer = std::move(printer)](std::ostream& out, const json_value& data) {
        if (!given->csv) printer(out, data);
      });
  if (csv_page.empty()) return;
  reading.add_flag("--csv", given->csv, "print CSV; all rows without --limit")
      ->excludes(reading.get_option("--json"));
}

}  // namespace

void add_account_commands(CLI::App& app, int& exit_code) {
  add_grant(app, exit_code);
  add_reading(app, exit_code, "balance", "Show a balance", {}, print_balance);
  add_reading(app, exit_code, "usage", "Report usage by time and group",
              {{"from", "2026-01-31 or 2026-01-31T10:00:00Z; default: the first of this month"},
               {"to", "excluded; default: now"},
               {"granularity", "hour, day, month or total; default: day"},
               {"group_by", "any of action,model,agent,conversation,key,route"},
               {"time_zone", "the time zone of days and months, like Europe/Berlin; default: UTC"},
               {"action", "only this action; repeatable, '' means none. Likewise:", true},
               {"model", "", true},
               {"agent", "", true},
               {"conversation", "", true},
               {"key", "", true},
               {"route", "", true},
               {"limit", "rows, 1 to 10000; otherwise 1000"},
               {"after", "the cursor of the page before"}},
              print_usage, "10000");
  add_reading(app, exit_code, "projection", "Forecast the end of the cycle", {}, print_projection);
  add_reading(app, exit_code, "ledger", "List ledger entries, oldest first",
              {{"after", "the id of the entry before the first one to show"},
               {"limit", "1 to 1000; otherwise 100"}},
              print_entries, "1000");
  add_reading(app, exit_code, "holds", "List open holds", {}, print_holds);
}

}  // namespace tollgate::proxy
