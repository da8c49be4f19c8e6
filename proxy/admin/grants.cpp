#include "proxy/admin/grants.hpp"

#include <algorithm>

#include "proxy/account/billing_api.hpp"
#include "proxy/net/api/body.hpp"
#include "proxy/net/api/idempotency.hpp"
#include "proxy/text/text.hpp"
#include "quota/grants.hpp"

namespace tollgate::proxy::admin {

namespace {

const body_fields& grant_fields() {
  static const body_fields fields{{"credits", "kind", "note", "expires_at", "priority"}, {}};
  return fields;
}

checked<quota::time_point> read_expiry(const json_value& body) {
  const auto text = text_field(body, "expires_at", 64);
  if (!text) return text.error();
  if (!*text) return quota::never;
  const auto time = parse_time(**text);
  if (time) return *time;
  return invalid(
      "expires_at must be a date (2027-01-31, its first moment) or a time (2027-01-31T10:00:00Z)",
      "expires_at");
}

checked<quota::grant> read_grant(const api_request& request) {
  const auto body = read_body(request, grant_fields());
  if (!body) return body.error();
  const auto amount = credits_field(*body, "credits");
  if (!amount) return amount.error();
  if (!*amount) return invalid("credits is required: {\"credits\": 500}", "credits");
  const auto kind = text_field(*body, "kind", 64);
  if (!kind) return kind.error();
  const auto note = text_field(*body, "note", 256);
  if (!note) return note.error();
  const auto expiry = read_expiry(*body);
  if (!expiry) return expiry.error();
  const auto priority = whole_field(*body, "priority", 0, quota::max_priority);
  if (!priority) return priority.error();
  auto id = idempotency_key(request, "grant_");
  if (!id) return id.error();

  quota::grant grant{.id = std::move(*id),
                     .amount = **amount,
                     .kind = kind->value_or("purchase"),
                     .note = note->value_or(""),
                     .expires_at = *expiry,
                     .priority = {}};
  if (*priority) grant.priority = static_cast<int>(**priority);
  const bool correction = grant.kind == "correction";
  if (!correction && grant.kind != "purchase" && grant.kind != "promotion") {
    return invalid("kind must be purchase, promotion or correction", "kind");
  }
  if (grant.amount == quota::credits{})
    return invalid("a grant of 0 credits does nothing", "credits");
  if (grant.amount < quota::credits{} && !correction) {
    return invalid("only a correction may take credits away: add \"kind\": \"correction\"",
                   "credits");
  }
  return grant;
}

api_error reused(const std::string& what) {
  return key_reused("a grant with " + what);
}

// Repeating the call with the same key is safe, so the message states the key even if it was
// generated.
api_error grant_outcome_unknown(const std::string& id) {
  return ledger_unavailable(
      "whether the grant was recorded is unknown; repeat the call with Idempotency-Key: " + id);
}

// The first field in which `grant` differs from the recorded one; empty: none.
std::string difference(const quota::grant_record& record, const quota::grant& grant) {
  if (record.amount != grant.amount) return quota::to_string(record.amount) + " credits";
  if (record.kind != grant.kind) return "kind " + record.kind;
  if (record.note != grant.note) return "another note";
  if (record.expires_at != grant.expires_at) return "another expires_at";
  if (record.priority != grant.priority.value_or(quota::default_priority(grant.kind))) {
    return "priority " + std::to_string(record.priority);
  }
  return "";
}

}  // namespace

task<api_response> grant_endpoints::create(admin_call call) {
  const auto grant = read_grant(call.request);
  if (!grant) co_return failure(grant.error(), call.request.request_id);
  // A repeated call may refer to a grant that has expired since.
  if (grant->expires_at != quota::never && grant->expires_at <= services_.ledger.now()) {
    co_return co_await show(call.org, *grant, true, call.request.request_id);
  }
  const quota::operation operation = *grant;
  const auto answer = co_await services_.ledger.apply(call.org, operation);
  if (!answer) co_return failure(grant_outcome_unknown(grant->id), call.request.request_id);
  switch (answer->result) {
    case quota::outcome::granted:
    case quota::outcome::exists:
      co_return co_await show(call.org, *grant, answer->result == quota::outcome::exists,
                              call.request.request_id);
    case quota::outcome::exists_with_different_amount:
      co_return failure(reused(quota::to_string(answer->amount) + " credits"),
                        call.request.request_id);
    case quota::outcome::balance_full:
      co_return failure(balance_full("credits"), call.request.request_id);
    default:
      co_return failure(invalid("a grant is at most 4000000000 credits", "credits"),
                        call.request.request_id);
  }
}

// The answer is made from the books, so a repeated call gets the same one.
task<api_response> grant_endpoints::show(quota::org_id org, quota::grant grant, bool repeated,
                                         std::string request_id) {
  const auto records = co_await services_.history.grants(org);
  if (!records) co_return failure(grant_outcome_unknown(grant.id), request_id);
  const auto record = std::find_if(records->begin(), records->end(),
                                   [&](const auto& one) { return one.id == grant.id; });
  if (record == records->end()) {
    const bool expired =
        grant.expires_at != quota::never && grant.expires_at <= services_.ledger.now();
    co_return failure(expired ? invalid("expires_at is in the past", "expires_at")
                              : grant_outcome_unknown(grant.id),
                      request_id);
  }
  if (const auto other = difference(*record, grant); !other.empty()) {
    co_return failure(reused(other), request_id);
  }
  auto response = success(grant_json(*record), 201);
  if (repeated) say_replayed(response);
  co_return response;
}

}  // namespace tollgate::proxy::admin
