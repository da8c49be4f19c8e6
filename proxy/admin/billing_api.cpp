#include "proxy/admin/billing_api.hpp"

#include "proxy/admin/csv.hpp"
#include "proxy/admin/json_writer.hpp"
#include "proxy/admin/text.hpp"
#include "proxy/admin/usage_report.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t default_limit = 100, max_limit = 1000;

// A day of counters at a time: what a report holds in memory is its rows, not what they sum up.
constexpr std::int64_t hours_a_step = 24;

bool wants_csv(const api_request& request) {
  return request.accept.find("text/csv") != std::string::npos;
}

api_response csv_response(std::string body) {
  return {.status = 200,
          .content_type = "text/csv; charset=utf-8; header=present",
          .body = std::move(body),
          .headers = {}};
}

std::optional<api_error> refuse_parameters(const api_request& request) {
  const auto parameters = query_parameters::parse(request.query, {});
  if (!parameters) return parameters.error();
  return {};
}

struct page {
  std::string after = "0-0";
  std::size_t limit = default_limit;
};

// "MILLISECONDS-SEQUENCE", as the entries' ids are written.
bool is_entry_id(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == 0 || dash == text.npos || dash + 1 == text.size() || text.size() > 40) return false;
  return text.find_first_not_of("0123456789", dash + 1) == text.npos &&
         text.substr(0, dash).find_first_not_of("0123456789") == text.npos;
}

checked<page> parse_page(const api_request& request) {
  const auto parameters = query_parameters::parse(request.query, {"after", "limit"});
  if (!parameters) return parameters.error();
  page wanted;
  if (const auto after = parameters->find("after")) {
    if (!is_entry_id(*after)) {
      return invalid("after is the id of a ledger entry, like 1769853600000-0", "after");
    }
    wanted.after = *after;
  }
  if (const auto limit = parameters->find("limit")) {
    const auto count = parse_count(*limit, max_limit);
    if (!count) return invalid("limit is a number from 1 to 1000", "limit");
    wanted.limit = *count;
  }
  return wanted;
}

void write_attribution(json_writer& out, const quota::attribution& who) {
  out.key("route").string_or_null(who.route).key("action").string_or_null(who.action);
  out.key("model").string_or_null(who.model).key("agent").string_or_null(who.agent);
  out.key("conversation").string_or_null(who.conversation);
  out.key("key").string_or_null(who.key_id);
}

void write_entry(json_writer& out, const quota::ledger_entry& entry) {
  out.begin_object();
  out.key("id").string(entry.id).key("at").string(to_rfc3339(entry.at));
  out.key("type").string(quota::to_string(entry.type)).key("subject").string(entry.subject);
  out.key("credits").number(entry.amount).key("released").number(entry.released);
  out.key("overage").number(entry.overage).key("available").number(entry.available);
  out.key("used").number(entry.used).key("request_id").string_or_null(entry.request_id);
  write_attribution(out, entry.who);
  out.key("kind").string_or_null(entry.kind).key("note").string_or_null(entry.note);
  out.end_object();
}

std::string entries_csv(const std::vector<quota::ledger_entry>& entries) {
  csv_writer out;
  for (const auto name :
       {"id", "at", "type", "subject", "credits", "released", "overage", "available", "used",
        "request_id", "route", "action", "model", "agent", "conversation", "key", "kind", "note"}) {
    out.text(name);
  }
  out.end_row();
  for (const auto& entry : entries) {
    out.text(entry.id).text(to_rfc3339(entry.at)).text(quota::to_string(entry.type));
    out.text(entry.subject).number(entry.amount).number(entry.released).number(entry.overage);
    out.number(entry.available).number(entry.used).text(entry.request_id);
    out.text(entry.who.route).text(entry.who.action).text(entry.who.model).text(entry.who.agent);
    out.text(entry.who.conversation).text(entry.who.key_id).text(entry.kind).text(entry.note);
    out.end_row();
  }
  return out.take();
}

std::string entries_json(const std::vector<quota::ledger_entry>& entries, const page& wanted,
                         bool has_more) {
  json_writer out;
  out.begin_object().key("entries").begin_array();
  for (const auto& entry : entries) write_entry(out, entry);
  out.end_array();
  out.key("next_after").string(entries.empty() ? wanted.after : entries.back().id);
  out.key("has_more").boolean(has_more).end_object();
  return out.take();
}

std::string balance_json(const quota::org_id& org, const quota::account_row& row,
                         const std::vector<quota::grant_record>& grants) {
  json_writer out;
  out.begin_object().key("org").string(org);
  out.key("available").number(row.available()).key("held").number(row.held);
  out.key("granted").number(row.granted).key("settled").number(row.settled);
  out.key("expired").number(row.expired);
  // Prices of overage, caps and cycles belong to plans; without one they are not known: null.
  out.key("overage").begin_object();
  out.key("credits").number(row.overage()).key("usd").null().end_object();
  out.key("spend_cap").null().key("cycle").null();
  out.key("grants").begin_array();
  for (const auto& grant : grants) out.raw(grant_json(grant));
  out.end_array().end_object();
  return out.take();
}

}  // namespace

std::string grant_json(const quota::grant_record& grant) {
  json_writer out;
  out.begin_object().key("id").string(grant.id).key("credits").number(grant.amount);
  out.key("kind").string(grant.kind).key("note").string_or_null(grant.note);
  out.key("created_at").string(to_rfc3339(grant.at)).key("expires_at").null().end_object();
  return out.take();
}

task<api_response> billing_api::handle(quota::org_id org, api_request request) {
  const auto path = request.path;
  const bool known = path == "/balance" || path == "/usage" || path == "/ledger";
  if (!known) {
    co_return failure(not_found("there is balance, usage and ledger here"), request.request_id);
  }
  if (request.method != "GET" && request.method != "HEAD") {
    co_return failure(method_not_allowed("GET, HEAD"), request.request_id);
  }
  if (path == "/balance") co_return co_await balance(std::move(org), std::move(request));
  if (path == "/usage") co_return co_await usage(std::move(org), std::move(request));
  co_return co_await entries(std::move(org), std::move(request));
}

task<api_response> billing_api::balance(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto snapshot = co_await ledger_.snapshot(org);
  if (!snapshot) co_return failure(ledger_unavailable(), request.request_id);
  const auto grants = co_await ledger_.grants(org);
  if (!grants) co_return failure(ledger_unavailable(), request.request_id);
  co_return success(balance_json(org, snapshot->row, *grants));
}

task<api_response> billing_api::usage(quota::org_id org, api_request request) {
  const auto query = usage_query::parse(request.query, ledger_.now());
  if (!query) co_return failure(query.error(), request.request_id);
  usage_report report{*query};
  for (auto hour = query->first_hour; hour <= query->last_hour; hour += hours_a_step) {
    const auto last = std::min(hour + hours_a_step - 1, query->last_hour);
    const auto counters = co_await ledger_.usage(org, hour, last);
    if (!counters) co_return failure(ledger_unavailable(), request.request_id);
    for (const auto& counter : *counters) {
      if (report.add(counter)) continue;
      co_return failure(invalid("this report would have more than 50000 rows; ask for a shorter "
                                "time, a coarser granularity or fewer groups",
                                "group_by"),
                        request.request_id);
    }
  }
  co_return wants_csv(request) ? csv_response(report.to_csv()) : success(report.to_json());
}

task<api_response> billing_api::entries(quota::org_id org, api_request request) {
  const auto wanted = parse_page(request);
  if (!wanted) co_return failure(wanted.error(), request.request_id);
  // One more than asked for shows whether there is a next page.
  auto found = co_await ledger_.entries(org, wanted->after, wanted->limit + 1);
  if (!found) co_return failure(ledger_unavailable(), request.request_id);
  const bool has_more = found->size() > wanted->limit;
  if (has_more) found->resize(wanted->limit);
  if (!wants_csv(request)) co_return success(entries_json(*found, *wanted, has_more));
  auto response = csv_response(entries_csv(*found));
  if (has_more) {
    response.headers.emplace_back("Link", "<?after=" + found->back().id + "&limit=" +
                                              std::to_string(wanted->limit) + ">; rel=\"next\"");
  }
  co_return response;
}

task<api_response> billing_api::holds(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto snapshot = co_await ledger_.snapshot(org);
  if (!snapshot) co_return failure(ledger_unavailable(), request.request_id);
  json_writer out;
  out.begin_object().key("holds").begin_array();
  for (const auto& hold : snapshot->holds) {
    out.begin_object().key("id").string(hold.id.text()).key("credits").number(hold.amount);
    out.key("created_at").string(to_rfc3339(hold.id.made_at()));
    out.key("expires_at").string(to_rfc3339(hold.expires_at));
    out.key("request_id").string_or_null(hold.request_id);
    write_attribution(out, hold.who);
    out.end_object();
  }
  out.end_array().end_object();
  co_return success(out.take());
}

task<api_response> billing_api::grants(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto grants = co_await ledger_.grants(org);
  if (!grants) co_return failure(ledger_unavailable(), request.request_id);
  json_writer out;
  out.begin_object().key("grants").begin_array();
  for (const auto& grant : *grants) out.raw(grant_json(grant));
  out.end_array().end_object();
  co_return success(out.take());
}

}  // namespace tollgate::proxy::admin
