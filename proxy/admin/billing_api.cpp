#include "proxy/admin/billing_api.hpp"

#include "proxy/admin/balance_report.hpp"
#include "proxy/admin/json_writer.hpp"
#include "proxy/admin/ledger_report.hpp"
#include "proxy/admin/reading.hpp"
#include "proxy/admin/text.hpp"
#include "proxy/admin/usage_report.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t default_limit = 100, max_limit = 1000;

// A day of counters at a time: what a report holds in memory is its rows, not what they sum up.
constexpr std::int64_t hours_a_step = 24;

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

}  // namespace

std::string grant_json(const quota::grant_record& grant) {
  json_writer out;
  out.begin_object().key("id").string(grant.id).key("credits").number(grant.amount);
  out.key("kind").string(grant.kind).key("note").string_or_null(grant.note);
  out.key("created_at").string(to_rfc3339(grant.at)).key("expires_at");
  out.string_or_null(grant.expires_at == quota::never ? "" : to_rfc3339(grant.expires_at));
  out.key("priority").number(grant.priority).end_object();
  return out.take();
}

task<api_response> billing_api::handle(quota::org_id org, api_request request) {
  struct page {
    std::string_view path;
    task<api_response> (billing_api::*read)(quota::org_id, api_request);
  };
  static constexpr page pages[] = {{"/balance", &billing_api::balance},
                                   {"/usage", &billing_api::usage},
                                   {"/ledger", &billing_api::entries},
                                   {"/statements", &billing_api::statements},
                                   {"/top_ups", &billing_api::top_ups}};
  constexpr std::string_view statement_of = "/statements/";
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  const auto refused = [&] { return failure(method_not_allowed("GET, HEAD"), request.request_id); };
  for (const auto& page : pages) {
    if (request.path != page.path) continue;
    if (!is_read) co_return refused();
    co_return co_await (this->*page.read)(std::move(org), std::move(request));
  }
  if (request.path.starts_with(statement_of)) {
    if (!is_read) co_return refused();
    auto month = request.path.substr(statement_of.size());
    co_return co_await statement(std::move(org), std::move(month), std::move(request));
  }
  co_return failure(not_found("there is balance, usage, ledger, statements and top_ups here"),
                    request.request_id);
}

task<result<bool>> billing_api::read_usage(quota::org_id org, std::int64_t first, std::int64_t last,
                                           counter_taker add) {
  for (auto hour = first; hour <= last; hour += hours_a_step) {
    const auto counters =
        co_await ledger_.usage(org, hour, std::min(hour + hours_a_step - 1, last));
    // result<bool> takes an error code for a bool.
    if (!counters) {
      co_return result<bool>{boost::system::in_place_error, counters.error()};
    }
    for (const auto& counter : *counters) {
      if (!add(counter)) co_return false;
    }
  }
  co_return true;
}

task<api_response> billing_api::balance(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto account = co_await ledger_.snapshot(org);
  if (!account) co_return failure(ledger_unavailable(), request.request_id);
  co_return success(balance_json(org, *account));
}

task<api_response> billing_api::usage(quota::org_id org, api_request request) {
  const auto query = usage_query::parse(request.query, ledger_.now());
  if (!query) co_return failure(query.error(), request.request_id);
  usage_report report{*query};
  counter_taker add = [&](const quota::usage_counter& counter) { return report.add(counter); };
  const auto read =
      co_await read_usage(std::move(org), query->first_hour, query->last_hour, std::move(add));
  if (!read) co_return failure(ledger_unavailable(), request.request_id);
  if (!*read) {
    co_return failure(invalid("this report would have more than 50000 rows; ask for a shorter "
                              "time, a coarser granularity or fewer groups",
                              "group_by"),
                      request.request_id);
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
  if (!wants_csv(request)) co_return success(entries_json(*found, wanted->after, has_more));
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
