#include "proxy/account/event_answer.hpp"

#include "proxy/account/reading.hpp"

namespace tollgate::proxy::admin {

namespace {

// Browsers send their position in a header, other clients in a parameter.
checked<std::optional<event_cursor>> parse_cursor(const api_request& request,
                                                  const quota::org_id& org) {
  const auto parameters = query_parameters::parse(request.query, {"last_event_id"});
  if (!parameters) return parameters.error();
  const auto asked = parameters->find("last_event_id");
  const auto& text = request.last_event_id.empty() && asked ? *asked : request.last_event_id;
  if (text.empty()) return std::optional<event_cursor>{};
  auto cursor = event_cursor::parse(text);
  if (!cursor) cursor = event_cursor::behind_event(org, text);
  if (cursor) return cursor;
  return invalid("last_event_id must be the id of an event, as it was sent", "last_event_id");
}

// The body of the answer to HEAD.
class no_body final : public body_source {
  task<std::optional<std::string>> next() override { co_return std::nullopt; }
  void end() override {}
};

api_response answer_with(std::shared_ptr<body_source> source) {
  // Asks intermediate proxies not to buffer.
  return {.status = 200,
          .content_type = "text/event-stream; charset=utf-8",
          .body = {},
          .headers = {{"X-Accel-Buffering", "no"}},
          .source = std::move(source)};
}

}  // namespace

task<api_response> answer_events(event_feed* feed, quota::org_id org, api_request request) {
  const auto cursor = parse_cursor(request, org);
  if (!cursor) co_return failure(cursor.error(), request.request_id);
  if (feed == nullptr) {
    co_return failure(not_found("there are no events here"), request.request_id);
  }
  if (request.method == "HEAD") co_return answer_with(std::make_shared<no_body>());
  auto opened = co_await feed->open(std::move(org), *cursor);
  if (!opened) co_return failure(opened.error(), request.request_id);
  co_return answer_with(*std::move(opened));
}

}  // namespace tollgate::proxy::admin
