// The customer's and the admin's view of what happens, as it happens.
#include "proxy/admin/billing_api.hpp"
#include "proxy/admin/event_report.hpp"
#include "proxy/admin/reading.hpp"

namespace tollgate::proxy::admin {

namespace {

// So much at a time; who is further behind comes again at once for the rest, and in order.
constexpr std::size_t events_at_once = 200, entries_at_once = 2'000;

api_response stream_of(event_report& report) {
  return {.status = 200,
          .content_type = "text/event-stream; charset=utf-8",
          .body = report.take(),
          .headers = {{"Cache-Control", "no-store"}}};
}

// Browsers say where they stand by a header, whoever begins somewhere else by a parameter.
checked<std::optional<event_cursor>> parse_cursor(const api_request& request) {
  const auto parameters = query_parameters::parse(request.query, {"last_event_id"});
  if (!parameters) return parameters.error();
  const auto asked = parameters->find("last_event_id");
  const auto& text = request.last_event_id.empty() && asked ? *asked : request.last_event_id;
  if (text.empty()) return std::optional<event_cursor>{};
  auto cursor = event_cursor::parse(text);
  if (cursor) return cursor;
  return invalid("last_event_id is the id of an event, as it was sent", "last_event_id");
}

}  // namespace

task<api_response> billing_api::events(quota::org_id org, api_request request) {
  const auto cursor = parse_cursor(request);
  if (!cursor) co_return failure(cursor.error(), request.request_id);
  const auto from = *cursor;
  if (!from) {
    const auto account = co_await ledger_.snapshot(org);
    if (!account) co_return failure(ledger_unavailable(), request.request_id);
    const auto now = ledger_.now().time_since_epoch().count();
    event_report report{org, {std::to_string(now) + "-0", account->last_entry_id}};
    report.add(*account);
    co_return stream_of(report);
  }
  event_report report{org, *from};
  const auto happened = co_await ledger_.events(org, from->event, events_at_once);
  if (!happened) co_return failure(ledger_unavailable(), request.request_id);
  for (const auto& event : *happened) report.add(event);
  const auto entries = co_await ledger_.entries(org, from->entry, entries_at_once);
  if (!entries) co_return failure(ledger_unavailable(), request.request_id);
  report.add(*entries);
  if (!entries->empty()) {
    const auto account = co_await ledger_.snapshot(org);
    if (!account) co_return failure(ledger_unavailable(), request.request_id);
    report.add(*account);
  }
  co_return stream_of(report);
}

}  // namespace tollgate::proxy::admin
