// Statements and top-ups of one account: calls of billing_api.
#include <algorithm>
#include <iterator>
#include <limits>

#include "proxy/account/billing_api.hpp"
#include "proxy/account/history_unavailable.hpp"
#include "proxy/account/org_json.hpp"
#include "proxy/account/reading.hpp"
#include "proxy/account/statement_report.hpp"
#include "proxy/text/json_writer.hpp"
#include "quota/statement.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t most_top_ups_a_page = 1000;

// An account that was never configured has no cycle yet.
std::vector<quota::statement> statements_of(const quota::account_snapshot& account,
                                            const std::vector<quota::top_up_record>& top_ups) {
  if (!account.plan) return {};
  auto all = quota::statements(account.cycles, account);
  quota::add_payments(all, top_ups);
  return all;
}

struct top_up_page {
  std::string after;
  // All top-ups by default, as before pages existed.
  std::size_t limit = std::numeric_limits<std::ptrdiff_t>::max();
};

checked<top_up_page> parse_top_up_page(const api_request& request) {
  const auto parameters = query_parameters::parse(request.query, {"after", "limit"});
  if (!parameters) return parameters.error();
  top_up_page wanted;
  if (const auto after = parameters->find("after")) wanted.after = *after;
  if (const auto limit = parameters->find("limit")) {
    const auto count = parse_count(*limit, most_top_ups_a_page);
    if (!count) return invalid("limit must be a number from 1 to 1000", "limit");
    wanted.limit = *count;
  }
  return wanted;
}

}  // namespace

task<api_response> billing_api::statements(quota::org_id org, api_request request) {
  if (const auto error = refuse_parameters(request)) co_return failure(*error, request.request_id);
  const auto account = co_await history_.snapshot(org);
  if (!account) co_return failure(ledger_unavailable(), request.request_id);
  const auto top_ups = co_await history_.top_ups(org);
  if (!top_ups) co_return failure(history_unavailable(top_ups.error()), request.request_id);
  const auto all = statements_of(*account, *top_ups);
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
  const auto account = co_await history_.snapshot(org);
  if (!account) co_return failure(ledger_unavailable(), request.request_id);
  const auto top_ups = co_await history_.top_ups(org);
  if (!top_ups) co_return failure(history_unavailable(top_ups.error()), request.request_id);
  const auto all = statements_of(*account, *top_ups);
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
  const usage_range range{empty.first_hour(), empty.last_hour(history_.now()), false};
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

// Oldest first. A page starts after a top-up's id: ids are unique and permanent.
task<api_response> billing_api::top_ups(quota::org_id org, api_request request) {
  const auto wanted = parse_top_up_page(request);
  if (!wanted) co_return failure(wanted.error(), request.request_id);
  const auto all = co_await history_.top_ups(org);
  if (!all) co_return failure(history_unavailable(all.error()), request.request_id);
  auto first = all->begin();
  if (!wanted->after.empty()) {
    first = std::ranges::find(*all, wanted->after, &quota::top_up_record::id);
    if (first == all->end()) {
      co_return failure(invalid("after must be the id of a top-up of this organization", "after"),
                        request.request_id);
    }
    ++first;
  }
  const auto left = static_cast<std::size_t>(all->end() - first);
  const auto last = first + static_cast<std::ptrdiff_t>(std::min(wanted->limit, left));
  json_writer out;
  out.begin_object().key("top_ups").begin_array();
  for (auto each = first; each != last; ++each) write_top_up(out, *each);
  out.end_array().key("next_after");
  out.string_or_null(first == last ? wanted->after : std::prev(last)->id);
  out.key("has_more").boolean(last != all->end()).end_object();
  co_return success(out.take());
}

}  // namespace tollgate::proxy::admin
