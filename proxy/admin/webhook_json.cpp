#include "proxy/admin/webhook_json.hpp"

#include "proxy/text/text.hpp"
#include "proxy/webhooks/delivery.hpp"
#include "proxy/webhooks/event_filter.hpp"
#include "routes/suggest.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t max_url = 2048, max_description = 256;

api_error no_event(std::string_view text) {
  const auto known = webhooks::event_types();
  return invalid(routes::shown(text) + " is not an event type" + routes::did_you_mean(text, known) +
                     "; also \"account.*\" and \"*\"",
                 "events");
}

checked<std::optional<std::vector<std::string>>> read_events(const json_value& body) {
  const auto list = list_field(body, "events");
  if (!list) return list.error();
  if (*list == nullptr) return std::optional<std::vector<std::string>>{};
  std::vector<std::string> events;
  for (const auto& each : (*list)->elements) {
    if (!each.is(json_value::kind::string))
      return invalid("events must be a list of texts", "events");
    if (!webhooks::is_event_filter(each.text)) return no_event(each.text);
    events.push_back(each.text);
  }
  if (events.empty() || events.size() > 32)
    return invalid("events must have 1 to 32 types", "events");
  return std::optional{std::move(events)};
}

void write_time(json_writer& out, std::string_view name, quota::time_point at) {
  out.key(name).string_or_null(at == quota::time_point{} ? "" : to_rfc3339(at));
}

void write_status(json_writer& out, const quota::webhook_attempt& attempt) {
  out.key("status");
  if (attempt.status == 0) {
    out.null();
  } else {
    out.number(attempt.status);
  }
  out.key("error").string_or_null(attempt.error);
}

}  // namespace

body_fields webhook_fields() {
  return {{"url", "events", "description", "disabled"}, {}};
}

checked<quota::webhook_change> read_webhook(const json_value& body,
                                            const config::webhook_settings& rules) {
  quota::webhook_change change;
  const auto url = text_field(body, "url", max_url);
  if (!url) return url.error();
  if (*url) {
    auto why = webhooks::refuse_url(**url, rules);
    if (!why.empty()) return invalid(std::move(why), "url");
  }
  const auto events = read_events(body);
  if (!events) return events.error();
  const auto description = text_field(body, "description", max_description);
  if (!description) return description.error();
  const auto disabled = boolean_field(body, "disabled");
  if (!disabled) return disabled.error();
  change.url = *url;
  change.events = *events;
  change.description = *description;
  if (*disabled) change.disabled = **disabled ? "an administrator disabled it" : "";
  return change;
}

void write_webhook(json_writer& out, const quota::webhook_endpoint& endpoint, std::size_t pending) {
  out.begin_object().key("id").string(endpoint.id).key("url").string(endpoint.url);
  out.key("events").begin_array();
  for (const auto& each : endpoint.events) out.string(each);
  out.end_array();
  out.key("description").string_or_null(endpoint.description);
  out.key("disabled").boolean(!endpoint.disabled.empty());
  out.key("disabled_reason").string_or_null(endpoint.disabled);
  write_time(out, "created_at", endpoint.created_at);
  out.key("secrets").begin_array();
  for (const auto& secret : endpoint.secrets) {
    out.begin_object();
    write_time(out, "created_at", secret.since);
    write_time(out, "valid_until", secret.until);
    out.end_object();
  }
  out.end_array();
  out.key("pending").number(pending).key("attempts").number(endpoint.attempts);
  const bool waits = endpoint.disabled.empty() && pending > 0;
  write_time(out, "next_attempt_at", waits ? endpoint.next_at : quota::time_point{});
  out.key("last_attempt");
  if (endpoint.last.at == quota::time_point{}) {
    out.null();
  } else {
    out.begin_object();
    write_time(out, "at", endpoint.last.at);
    write_status(out, endpoint.last);
    out.end_object();
  }
  out.end_object();
}

std::string attempt_json(std::string_view event, const quota::webhook_attempt& attempt) {
  json_writer out;
  const bool delivered = webhooks::verdict_of(attempt.status) == webhooks::verdict::delivered;
  out.begin_object().key("event").string(event).key("delivered").boolean(delivered);
  write_status(out, attempt);
  return out.end_object().take();
}

std::string dead_letters_json(const quota::org_id& org,
                              const std::vector<quota::dead_letter>& letters,
                              std::string_view after, bool has_more) {
  json_writer out;
  out.begin_object().key("dead_letters").begin_array();
  for (const auto& letter : letters) {
    out.begin_object().key("id").string(webhooks::message_of(org, letter).id);
    write_time(out, "died_at", letter.last.at);
    out.key("attempts").number(letter.attempts);
    write_status(out, letter.last);
    out.key("event").raw(letter.body).end_object();
  }
  out.end_array();
  out.key("next_after").string(letters.empty() ? after : letters.back().event);
  out.key("has_more").boolean(has_more).end_object();
  return out.take();
}

}  // namespace tollgate::proxy::admin
