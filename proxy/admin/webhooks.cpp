#include "proxy/admin/webhooks.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <openssl/rand.h>

#include "proxy/account/event_report.hpp"
#include "proxy/admin/webhook_json.hpp"
#include "proxy/net/api/body.hpp"
#include "proxy/net/api/idempotency.hpp"
#include "proxy/net/api/query_parameters.hpp"
#include "proxy/net/outbound/signature.hpp"
#include "proxy/text/text.hpp"
#include "proxy/webhooks/event_filter.hpp"
#include "quota/hex.hpp"

namespace tollgate::proxy::admin {

namespace {

using quota::webhook_outcome;

constexpr std::chrono::hours overlap{24};   // of the old and the new secret
constexpr std::size_t most_pending = 1000;  // counting stops here

// A repeated call with the same Idempotency-Key gets the same id.
checked<std::string> name_of_call(const api_request& request, const quota::org_id& org) {
  const auto key = idempotency_key(request, "");
  if (!key) return key.error();
  return quota::to_hex(outbound::sha256(org + "\n" + *key)).substr(0, 24);
}

api_error no_such_webhook(const std::string& id) {
  auto error = not_found("no such webhook endpoint: \"" + id + "\"; GET .../webhooks lists them");
  error.code = "webhook_not_found";
  return error;
}

api_error no_such_letter(const std::string& event) {
  auto error = not_found("no such dead letter: \"" + event + "\"; GET .../dead_letters lists them");
  error.code = "dead_letter_not_found";
  return error;
}

api_error too_many() {
  return invalid("an organization has at most " +
                 std::to_string(quota::webhook_store::most_endpoints) + " webhook endpoints");
}

api_error too_many_secrets(const std::vector<quota::webhook_secret>& valid) {
  return {
      .status = 409,
      .code = "too_many_secrets",
      .message = std::to_string(valid.size()) +
                 " secrets are valid, and a receiver may have any of them; the oldest ends at " +
                 (valid.empty() ? "" : to_rfc3339(valid.back().until)),
      .param = {},
      .retry_after = {},
      .allow = {}};
}

struct letters_page {
  std::string after = "0-0";
  std::size_t limit = 100;
};

checked<letters_page> parse_letters_page(const api_request& request, const quota::org_id& org) {
  const auto parameters = query_parameters::parse(request.query, {"after", "limit"});
  if (!parameters) return parameters.error();
  letters_page wanted;
  if (const auto after = parameters->find("after")) {
    const auto event = parse_event_name(org, *after);
    if (!event)
      return invalid("after must be the id of an event, like evt_1769853600000-0-822b33ad87",
                     "after");
    wanted.after = *event;
  }
  if (const auto limit = parameters->find("limit")) {
    const auto count = parse_count(*limit, 1000);
    if (!count) return invalid("limit must be a number from 1 to 1000", "limit");
    wanted.limit = *count;
  }
  return wanted;
}

}  // namespace

task<checked<quota::webhook_overview>> webhook_endpoints::read(const quota::org_id& org) {
  auto known = co_await services_.webhooks.read(org);
  if (!known) co_return ledger_unavailable();
  co_return *std::move(known);
}

task<checked<quota::webhook_endpoint>> webhook_endpoints::find(const admin_call& call) {
  auto known = co_await read(call.org);
  if (!known) co_return known.error();
  for (auto& each : known->endpoints) {
    if (each.id == call.item) co_return std::move(each);
  }
  co_return no_such_webhook(call.item);
}

// The number of events it has yet to receive. Counting stops at `most_pending`.
task<std::size_t> webhook_endpoints::count_pending(const quota::org_id& org,
                                                   const quota::webhook_endpoint& endpoint) {
  const auto wanted = [&](const quota::account_event& event) {
    return webhooks::wants(endpoint.events, "account." + event.type);
  };
  std::size_t count = 0;
  auto after = endpoint.cursor;
  while (count < most_pending) {
    const auto events = co_await services_.history.events(org, after, most_pending);
    if (!events || events->empty()) break;
    count += static_cast<std::size_t>(std::ranges::count_if(*events, wanted));
    after = events->back().id;
    if (events->size() < most_pending) break;
  }
  co_return std::min(count, most_pending);
}

task<api_response> webhook_endpoints::answer(quota::org_id org, quota::webhook_endpoint endpoint) {
  const auto pending = co_await count_pending(org, endpoint);
  json_writer out;
  write_webhook(out, endpoint, pending);
  co_return success(out.take());
}

task<api_response> webhook_endpoints::create(admin_call call) {
  const auto body = read_body(call.request, webhook_fields());
  if (!body) co_return failure(body.error(), call.request.request_id);
  const auto wanted = read_webhook(*body, services_.configuration()->values.webhooks);
  if (!wanted) co_return failure(wanted.error(), call.request.request_id);
  if (!wanted->url) {
    const auto error = invalid("url is required: {\"url\": \"https://...\"}", "url");
    co_return failure(error, call.request.request_id);
  }
  const auto name = name_of_call(call.request, call.org);
  if (!name) co_return failure(name.error(), call.request.request_id);
  quota::webhook_endpoint endpoint;
  endpoint.id = call.item = "we_" + *name;
  endpoint.url = *wanted->url;
  endpoint.description = wanted->description.value_or("");
  endpoint.disabled = wanted->disabled.value_or("");
  endpoint.events = wanted->events.value_or(std::vector<std::string>{"*"});
  const auto added = co_await services_.webhooks.add(call.org, endpoint, outbound::make_secret());
  if (!added) {
    const auto error = ledger_unavailable(
        "repeat the call with the same Idempotency-Key, or look whether GET lists the endpoint");
    co_return failure(error, call.request.request_id);
  }
  if (*added == webhook_outcome::full) co_return failure(too_many(), call.request.request_id);
  const auto made = co_await find(call);
  if (!made) co_return failure(made.error(), call.request.request_id);
  if (made->url != endpoint.url || made->events != endpoint.events ||
      made->description != endpoint.description) {
    co_return failure(key_reused("another endpoint"), call.request.request_id);
  }
  json_writer out;
  out.begin_object().key("id").string(made->id).key("secret").string(made->secrets.front().text);
  out.key("url").string(made->url).key("created_at").string(to_rfc3339(made->created_at));
  out.end_object();
  auto response = success(out.take(), 201);
  if (*added == webhook_outcome::exists) say_replayed(response);
  co_return response;
}

task<api_response> webhook_endpoints::list(admin_call call) {
  const auto known = co_await read(call.org);
  if (!known) co_return failure(known.error(), call.request.request_id);
  json_writer out;
  out.begin_object().key("webhooks").begin_array();
  for (const auto& each : known->endpoints) {
    const auto pending = co_await count_pending(call.org, each);
    write_webhook(out, each, pending);
  }
  out.end_array().end_object();
  co_return success(out.take());
}

task<api_response> webhook_endpoints::show(admin_call call) {
  auto found = co_await find(call);
  if (!found) co_return failure(found.error(), call.request.request_id);
  co_return co_await answer(call.org, *std::move(found));
}

// The change may have removed the cause of failures: delivery is tried again at once.
task<api_response> webhook_endpoints::change(admin_call call) {
  const auto body = read_body(call.request, webhook_fields());
  if (!body) co_return failure(body.error(), call.request.request_id);
  const auto change = read_webhook(*body, services_.configuration()->values.webhooks);
  if (!change) co_return failure(change.error(), call.request.request_id);
  const auto changed = co_await services_.webhooks.change(call.org, call.item, *change);
  if (!changed) co_return failure(ledger_unavailable(), call.request.request_id);
  services_.webhook_dispatcher.visit(call.org);
  co_return co_await show(std::move(call));
}

task<api_response> webhook_endpoints::retry(admin_call call) {
  const auto told = co_await services_.webhooks.retry_now(call.org, call.item);
  if (!told) co_return failure(ledger_unavailable(), call.request.request_id);
  services_.webhook_dispatcher.visit(call.org);
  co_return co_await show(std::move(call));
}

task<api_response> webhook_endpoints::remove(admin_call call) {
  const auto removed = co_await services_.webhooks.remove(call.org, call.item);
  if (!removed) co_return failure(ledger_unavailable(), call.request.request_id);
  if (*removed == webhook_outcome::not_found) {
    co_return failure(no_such_webhook(call.item), call.request.request_id);
  }
  json_writer out;
  out.begin_object().key("id").string(call.item).key("deleted").boolean(true).end_object();
  co_return success(out.take());
}

task<api_response> webhook_endpoints::rotate(admin_call call) {
  const auto key = name_of_call(call.request, call.org);
  if (!key) co_return failure(key.error(), call.request.request_id);
  quota::webhook_secret secret;
  secret.text = outbound::make_secret();
  secret.key = *key;
  const auto rotated = co_await services_.webhooks.rotate(call.org, call.item, std::move(secret),
                                                          quota::milliseconds{overlap});
  if (!rotated) {
    const auto error = ledger_unavailable(
        "repeat the call with the same Idempotency-Key; the secrets so far stay valid for a day");
    co_return failure(error, call.request.request_id);
  }
  const auto found = co_await find(call);
  if (!found) co_return failure(found.error(), call.request.request_id);
  const auto& secrets = found->secrets;
  if (*rotated == webhook_outcome::full) {
    co_return failure(too_many_secrets(secrets), call.request.request_id);
  }
  const auto made = std::ranges::find(secrets, *key, &quota::webhook_secret::key);
  if (made == secrets.end()) co_return failure(ledger_unavailable(), call.request.request_id);
  const auto old = std::next(made);
  json_writer out;
  out.begin_object().key("id").string(call.item).key("secret").string(made->text);
  out.key("old_valid_until").string_or_null(old == secrets.end() ? "" : to_rfc3339(old->until));
  out.end_object();
  auto response = success(out.take());
  if (*rotated == webhook_outcome::exists) say_replayed(response);
  co_return response;
}

task<api_response> webhook_endpoints::finish_rotation(admin_call call) {
  const auto finished = co_await services_.webhooks.finish_rotation(call.org, call.item);
  if (!finished) co_return failure(ledger_unavailable(), call.request.request_id);
  services_.webhook_dispatcher.visit(call.org);
  co_return co_await show(std::move(call));
}

task<api_response> webhook_endpoints::test(admin_call call) {
  const auto found = co_await find(call);
  if (!found) co_return failure(found.error(), call.request.request_id);
  auto sample =
      webhooks::sample_message(call.org, call.request.request_id, services_.webhooks.now());
  const auto id = sample.id;
  const auto attempt = co_await services_.webhook_dispatcher.send_now(*found, std::move(sample));
  co_return success(attempt_json(id, attempt));
}

task<api_response> webhook_endpoints::list_dead_letters(admin_call call) {
  const auto wanted = parse_letters_page(call.request, call.org);
  if (!wanted) co_return failure(wanted.error(), call.request.request_id);
  const auto found = co_await find(call);
  if (!found) co_return failure(found.error(), call.request.request_id);
  auto letters = co_await services_.webhooks.dead_letters(call.org, call.item, wanted->after,
                                                          wanted->limit + 1);
  if (!letters) co_return failure(ledger_unavailable(), call.request.request_id);
  const bool has_more = letters->size() > wanted->limit;
  if (has_more) letters->pop_back();
  co_return success(dead_letters_json(call.org, *letters, wanted->after, has_more));
}

// One attempt outside the queue: the event has already lost its place in the order.
task<api_response> webhook_endpoints::resend_dead_letter(admin_call call) {
  const auto endpoint = co_await find(call);
  if (!endpoint) co_return failure(endpoint.error(), call.request.request_id);
  const auto event = parse_event_name(call.org, call.sub_item);
  if (!event) co_return failure(no_such_letter(call.sub_item), call.request.request_id);
  const auto letter = co_await services_.webhooks.find_dead_letter(call.org, call.item, *event);
  if (!letter) co_return failure(ledger_unavailable(), call.request.request_id);
  if (!*letter) co_return failure(no_such_letter(call.sub_item), call.request.request_id);
  auto what = webhooks::message_of(call.org, **letter);
  const auto id = what.id;
  const auto attempt = co_await services_.webhook_dispatcher.send_now(*endpoint, std::move(what));
  if (webhooks::verdict_of(attempt.status) == webhooks::verdict::delivered) {
    const auto removed =
        co_await services_.webhooks.remove_dead_letter(call.org, call.item, *event);
    if (!removed) {
      const auto error = ledger_unavailable("it was delivered, and may still be listed");
      co_return failure(error, call.request.request_id);
    }
  }
  co_return success(attempt_json(id, attempt));
}

}  // namespace tollgate::proxy::admin
