// Statements and top-ups of one account: the calls of billing_api that plans brought.
#include "proxy/admin/billing_api.hpp"
#include "proxy/admin/json_writer.hpp"
#include "proxy/admin/org_json.hpp"
#include "proxy/admin/reading.hpp"
#include "proxy/admin/statement_report.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::admin {

namespace {

// An account that was never configured has no cycle yet.
std::vector<quota::statement> statements_of(const quota::account_snapshot& account) {
  if (!account.plan) return {};
  return quota::statements(account.cycles, account);
}

}  // namespace

task<api_response> billing_api::statements(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto account = co_await ledger_.snapshot(org);
  if (!account) co_return failure(ledger_unavailable(), request.request_id);
  const auto all = statements_of(*account);
  if (wants_csv(request)) co_return csv_response(statements_csv(all, account->holds));
  co_return success(statements_json(org, all, account->holds));
}

task<api_response> billing_api::statement(quota::org_id org, std::string month,
                                          api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto first_day = parse_month(month);
  if (!first_day) {
    co_return failure(
        invalid("a statement is named by the month in which its cycle starts: 2026-01", "month"),
        request.request_id);
  }
  const auto account = co_await ledger_.snapshot(org);
  if (!account) co_return failure(ledger_unavailable(), request.request_id);
  const auto all = statements_of(*account);
  const auto* found = find_statement(all, *first_day);
  if (found == nullptr) {
    auto error = not_found("no cycle of this organization starts in " + month +
                           "; GET .../statements lists them");
    error.code = "statement_not_found";
    co_return failure(error, request.request_id);
  }
  const statement_report empty{org, *found, is_final(*found, account->holds)};
  auto report = empty;
  report_beginner begin = [&] {
    report = empty;
    return [&](const quota::usage_counter& counter) { report.add(counter); };
  };
  const usage_range range{empty.first_hour(), empty.last_hour(ledger_.now()), false};
  const auto usage = co_await read_usage(org, range, std::move(begin));
  if (!usage) co_return failure(history_unavailable(usage.error()), request.request_id);
  switch (best_of(request.accept, {"application/json", "text/csv", "text/plain"})) {
    case 1:
      co_return csv_response(report.to_csv());
    case 2:
      co_return text_response(report.to_text());
    default:
      co_return success(report.to_json());
  }
}

task<api_response> billing_api::top_ups(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto top_ups = co_await ledger_.top_ups(org);
  if (!top_ups) co_return failure(ledger_unavailable(), request.request_id);
  json_writer out;
  out.begin_object().key("top_ups").begin_array();
  for (const auto& top_up : *top_ups) write_top_up(out, top_up);
  out.end_array().end_object();
  co_return success(out.take());
}

}  // namespace tollgate::proxy::admin
