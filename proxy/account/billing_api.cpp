#include "proxy/account/billing_api.hpp"

#include <chrono>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "proxy/account/balance_report.hpp"
#include "proxy/account/burn_down_report.hpp"
#include "proxy/account/history_unavailable.hpp"
#include "proxy/account/ledger_report.hpp"
#include "proxy/account/projection_report.hpp"
#include "proxy/account/quote.hpp"
#include "proxy/account/reading.hpp"
#include "proxy/account/report_memory.hpp"
#include "proxy/account/usage_report.hpp"
#include "proxy/net/api/query_parameters.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t default_limit = 100, max_limit = 1000;

// Read this many hours of summaries at a time, so that several are read in parallel.
constexpr std::int64_t hours_a_step = 64 * 24;
constexpr int most_readings = 40;
constexpr std::chrono::milliseconds pause_between_readings{25};

struct page {
  std::string after = "0-0";
  std::size_t limit = default_limit;
};

checked<page> parse_page(const api_request& request) {
  const auto parameters = query_parameters::parse(request.query, {"after", "limit"});
  if (!parameters) return parameters.error();
  page wanted;
  if (const auto after = parameters->find("after")) {
    const auto place = parse_place(*after);
    if (!place)
      return invalid("after must be the id of a ledger entry, like 1769853600000-0", "after");
    wanted.after = *place;
  }
  if (const auto limit = parameters->find("limit")) {
    const auto count = parse_count(*limit, max_limit);
    if (!count) return invalid("limit must be a number from 1 to 1000", "limit");
    wanted.limit = *count;
  }
  return wanted;
}

// The same query, continued after this answer.
std::string next_page_link(std::string_view query, const std::string& after) {
  std::string next = "?after=" + after;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (!pair.empty() && !pair.starts_with("after=")) next.append("&").append(pair);
  }
  return "<" + next + ">; rel=\"next\"";
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
    bool is_small = false;
  };
  static constexpr page pages[] = {
      {"/balance", &billing_api::balance, true}, {"/usage", &billing_api::usage},
      {"/projection", &billing_api::projection}, {"/burn_down", &billing_api::burn_down},
      {"/quote", &billing_api::quote, true},     {"/ledger", &billing_api::entries},
      {"/statements", &billing_api::statements}, {"/top_ups", &billing_api::top_ups},
      {"/events", &billing_api::events, true}};
  constexpr std::string_view statement_of = "/statements/";
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  const auto refused = [&] { return failure(method_not_allowed("GET, HEAD"), request.request_id); };
  const auto current = co_await quota::bring_up_to_date(ledger_, org);
  if (!current) co_return failure(ledger_unavailable(), request.request_id);
  for (const auto& page : pages) {
    if (request.path != page.path) continue;
    if (!is_read) co_return refused();
    const auto id = request.request_id;
    auto reading = (this->*page.read)(org, std::move(request));
    if (page.is_small) co_return co_await std::move(reading);
    auto bounded = bound_report(report_memory::shared(), std::move(org), id, std::move(reading));
    co_return co_await std::move(bounded);
  }
  if (request.path.starts_with(statement_of)) {
    if (!is_read) co_return refused();
    auto month = request.path.substr(statement_of.size());
    const auto id = request.request_id;
    auto reading = statement(org, std::move(month), std::move(request));
    auto bounded = bound_report(report_memory::shared(), std::move(org), id, std::move(reading));
    co_return co_await std::move(bounded);
  }
  co_return failure(not_found("no such endpoint; there are balance, usage, projection, burn_down, "
                              "quote, ledger, statements, top_ups and events"),
                    request.request_id);
}

// Steps begin with days of UTC, so that no daily summary is read twice.
struct billing_api::usage_reading {
  const quota::org_id& org;
  usage_range range;
  std::int64_t next;
  counter_taker add;
  error_code failed{};
};

// One of several readers in parallel: while one adds up its counters, the store reads those of the
// others.
task<> billing_api::read_usage_steps(usage_reading& all) {
  while (all.next <= all.range.last && !all.failed) {
    const auto first = all.next, end = std::min(first / 24 * 24 + hours_a_step - 1, all.range.last);
    all.next = end + 1;
    const auto read = co_await history_.each_usage_summary(all.org, first, end, all.add);
    if (read) continue;
    all.failed = read.error();
    co_return;
  }
}

// If old usage is aggregated during the read, it is read again.
task<result<void>> billing_api::read_usage(quota::org_id org, usage_range range,
                                           report_beginner begin) {
  using namespace asio::experimental::awaitable_operators;
  auto generation = co_await history_.usage_generation(org, range.first, range.last);
  for (int i = 0; i < most_readings; ++i) {
    if (!generation) co_return generation.error();
    usage_reading all{org, range, range.first, begin()};
    if (range.with_callers) {
      const auto read = co_await history_.each_usage(org, range.first, range.last, all.add);
      if (!read) all.failed = read.error();
    } else {
      auto together = read_usage_steps(all) && read_usage_steps(all) && read_usage_steps(all);
      co_await std::move(together);
    }
    if (all.failed) co_return all.failed;
    auto now = co_await history_.usage_generation(org, range.first, range.last);
    if (now && *now == *generation) co_return result<void>{};
    generation = std::move(now);
    // After a jump of the clock years are aggregated at once, which soon ends.
    asio::steady_timer pause{co_await asio::this_coro::executor, pause_between_readings};
    co_await pause.async_wait(use_task);
  }
  co_return make_error_code(quota::store_errc::unavailable);
}

task<api_response> billing_api::balance(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto account = co_await history_.snapshot_without_holds(org);
  if (!account) co_return failure(ledger_unavailable(), request.request_id);
  co_return success(balance_json(org, *account));
}

task<api_response> billing_api::usage(quota::org_id org, api_request request) {
  const auto query = usage_query::parse(request.query, history_.now());
  if (!query) co_return failure(query.error(), request.request_id);
  std::optional<usage_report> report;
  report_beginner begin = [&] {
    report.emplace(*query, usage_units{configuration_()->values});
    return [&](const quota::usage_counter& counter) { report->add(counter); };
  };
  const usage_range range{query->first_hour, query->last_hour, query->asks_about_callers()};
  const auto read = co_await read_usage(org, range, std::move(begin));
  if (!read) co_return failure(history_unavailable(read.error()), request.request_id);
  // Checked afterwards: details that were dropped during the read are reported, too.
  if (query->asks_about_callers()) {
    const auto known_from = co_await history_.callers_known_from(org);
    if (!known_from) co_return failure(ledger_unavailable(), request.request_id);
    report->callers_known_from(*known_from);
  }
  if (!wants_csv(request)) co_return success(report->to_json());
  auto response = csv_response(report->to_csv());
  if (const auto missing = report->callers_known_from(); !missing.empty()) {
    response.headers.emplace_back("X-Callers-Known-From", missing);
  }
  if (report->has_more()) {
    response.headers.emplace_back("Link", next_page_link(request.query, report->next_after()));
  }
  co_return response;
}

template <class Report>
task<api_response> billing_api::report_on(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto account = co_await history_.snapshot_without_holds(org);
  if (!account) co_return failure(ledger_unavailable(), request.request_id);
  const Report empty{*account, history_.now()};
  std::optional<Report> report;
  report_beginner begin = [&] {
    report.emplace(empty);
    return [&](const quota::usage_counter& counter) { report->add(counter); };
  };
  const usage_range range{empty.first_hour(), empty.last_hour(), false};
  const auto read = co_await read_usage(std::move(org), range, std::move(begin));
  if (!read) co_return failure(history_unavailable(read.error()), request.request_id);
  co_return success(report->to_json());
}

task<api_response> billing_api::projection(quota::org_id org, api_request request) {
  return report_on<projection_report>(std::move(org), std::move(request));
}

task<api_response> billing_api::burn_down(quota::org_id org, api_request request) {
  return report_on<burn_down_report>(std::move(org), std::move(request));
}

task<api_response> billing_api::quote(quota::org_id org, api_request request) {
  const auto asked = read_quote(request.query);
  if (!asked) co_return failure(asked.error(), request.request_id);
  const auto account = co_await history_.snapshot_without_holds(org);
  if (!account) co_return failure(ledger_unavailable(), request.request_id);
  const auto terms = account->plan ? account->plan->terms : quota::plan_terms{};
  co_return success(quote_json(*asked, terms));
}

task<api_response> billing_api::entries(quota::org_id org, api_request request) {
  const auto wanted = parse_page(request);
  if (!wanted) co_return failure(wanted.error(), request.request_id);
  // Reads one entry more than requested, to find out whether there is a next page.
  auto found = co_await history_.entries(org, wanted->after, wanted->limit + 1);
  if (!found) co_return failure(history_unavailable(found.error()), request.request_id);
  const bool has_more = found->size() > wanted->limit;
  if (has_more) found->resize(wanted->limit);
  if (!wants_csv(request)) co_return success(entries_json(*found, wanted->after, has_more));
  auto response = csv_response(entries_csv(*found));
  if (has_more) {
    response.headers.emplace_back("Link", next_page_link(request.query, found->back().id));
  }
  co_return response;
}

task<api_response> billing_api::holds(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto snapshot = co_await history_.snapshot(org);
  if (!snapshot) co_return failure(ledger_unavailable(), request.request_id);
  json_writer out;
  out.begin_object().key("holds").begin_array();
  for (const auto& hold : snapshot->holds) {
    out.begin_object().key("id").string(hold.id.text()).key("credits").number(hold.amount);
    out.key("created_at").string(to_rfc3339(hold.id.made_at()));
    out.key("expires_at").string(to_rfc3339(hold.expires_at));
    out.key("charged_on_expiry");  // null: it would be given back
    hold.answered ? out.number(hold.answered->amount) : out.null();
    out.key("request_id").string_or_null(hold.request_id);
    write_attribution(out, hold.who);
    out.end_object();
  }
  out.end_array().end_object();
  co_return success(out.take());
}

task<api_response> billing_api::grants(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto grants = co_await history_.grants(org);
  if (!grants) co_return failure(history_unavailable(grants.error()), request.request_id);
  json_writer out;
  out.begin_object().key("grants").begin_array();
  for (const auto& grant : *grants) out.raw(grant_json(grant));
  out.end_array().end_object();
  co_return success(out.take());
}

}  // namespace tollgate::proxy::admin
