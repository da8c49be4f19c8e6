// Giving credits, once for each idempotency key.
#include <algorithm>

#include <openssl/rand.h>

#include "proxy/admin/admin_api.hpp"
#include "proxy/admin/body.hpp"
#include "proxy/admin/text.hpp"

namespace tollgate::proxy::admin {

namespace {

constexpr std::size_t max_id_bytes = 128;

const body_fields& grant_fields() {
  static const body_fields fields{
      {"credits", "kind", "note"},
      {{"expires_at", "grants that expire come with plans; leave it out for one that does not"}}};
  return fields;
}

// The Idempotency-Key, bare or as the quoted string of the IETF draft; one of our own without it.
checked<std::string> idempotency_key(const api_request& request) {
  std::string_view key = request.idempotency_key;
  if (key.empty()) {
    std::uint64_t random[2];
    if (RAND_bytes(reinterpret_cast<unsigned char*>(random), sizeof random) != 1) {
      throw std::runtime_error{"no randomness for a new grant"};
    }
    const auto id = quota::hold_id::make(quota::system_clock{}.now(), random[0], random[1]);
    return "grant_" + std::string{id.text()};
  }
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"')
    key = key.substr(1, key.size() - 2);
  const bool printable =
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (key.empty() || key.size() > max_id_bytes || !printable) {
    return invalid("Idempotency-Key is 1 to 128 printable ASCII characters without blanks",
                   "Idempotency-Key");
  }
  return std::string{key};
}

checked<quota::grant> read_grant(const api_request& request) {
  const auto body = read_body(request, grant_fields());
  if (!body) return body.error();
  const auto amount = credits_field(*body, "credits");
  if (!amount) return amount.error();
  if (!*amount) return invalid("say how many credits: {\"credits\": 500}", "credits");
  const auto kind = text_field(*body, "kind", 64);
  if (!kind) return kind.error();
  const auto note = text_field(*body, "note", 256);
  if (!note) return note.error();
  auto id = idempotency_key(request);
  if (!id) return id.error();

  quota::grant grant{.id = std::move(*id),
                     .amount = **amount,
                     .kind = kind->value_or("purchase"),
                     .note = note->value_or("")};
  const bool correction = grant.kind == "correction";
  if (!correction && grant.kind != "purchase" && grant.kind != "promotion") {
    return invalid("kind is purchase, promotion or correction", "kind");
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
  return {.status = 422,
          .code = "idempotency_key_reused",
          .message = "this Idempotency-Key was used before, for a grant with " + what +
                     "; use a new key for a new grant",
          .param = "Idempotency-Key",
          .retry_after = {},
          .allow = {}};
}

// Repeating with the same key is what makes this safe, so the key is said even if we made it.
api_error outcome_unknown(const std::string& id) {
  return ledger_unavailable(
      "whether the grant was recorded is not known; repeat the call with "
      "Idempotency-Key: " +
      id);
}

}  // namespace

task<api_response> admin_api::create_grant(call call) {
  const auto grant = read_grant(call.request);
  if (!grant) co_return failure(grant.error(), call.request.request_id);
  const quota::operation operation = *grant;
  const auto answer = co_await services_.ledger.apply(call.org, operation);
  if (!answer) co_return failure(outcome_unknown(grant->id), call.request.request_id);
  switch (answer->result) {
    case quota::outcome::granted:
    case quota::outcome::exists:
      co_return co_await answer_grant(call.org, *grant, answer->result == quota::outcome::exists,
                                      call.request.request_id);
    case quota::outcome::exists_with_different_amount:
      co_return failure(reused(quota::to_string(answer->amount) + " credits"),
                        call.request.request_id);
    default:
      co_return failure(invalid("the balance would leave the range of 4000000000 credits to either "
                                "side of zero",
                                "credits"),
                        call.request.request_id);
  }
}

// The answer is made of what stands in the books, so a repeated call gets the same one.
task<api_response> admin_api::answer_grant(quota::org_id org, quota::grant grant, bool repeated,
                                           std::string request_id) {
  const auto records = co_await services_.ledger.grants(org);
  if (!records) co_return failure(outcome_unknown(grant.id), request_id);
  const auto record = std::find_if(records->begin(), records->end(),
                                   [&](const auto& one) { return one.id == grant.id; });
  if (record == records->end()) co_return failure(outcome_unknown(grant.id), request_id);
  if (record->kind != grant.kind) co_return failure(reused("kind " + record->kind), request_id);
  if (record->note != grant.note) co_return failure(reused("another note"), request_id);
  auto response = success(grant_json(*record), 201);
  if (repeated) response.headers.emplace_back("Idempotent-Replayed", "true");
  co_return response;
}

}  // namespace tollgate::proxy::admin
