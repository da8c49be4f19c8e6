#include "proxy/admin/top_ups.hpp"

#include <algorithm>

#include "proxy/account/org_json.hpp"
#include "proxy/net/api/body.hpp"
#include "proxy/net/api/idempotency.hpp"
#include "proxy/text/json_writer.hpp"
#include "proxy/text/text.hpp"
#include "quota/money.hpp"

namespace tollgate::proxy::admin {

namespace {

checked<std::optional<std::int64_t>> read_cents(const api_request& request) {
  const auto body = read_body(request, {{"amount_usd"}, {}});
  if (!body) return body.error();
  const auto cents = usd_field(*body, "amount_usd", 2, quota::max_cents);
  if (!cents) return cents.error();
  if (!*cents || **cents == 0) {
    return invalid("amount_usd is required: {\"amount_usd\": 25}", "amount_usd");
  }
  return *cents;
}

// Refuses amounts that the plan does not sell.
std::optional<api_error> refuse_amount(std::int64_t cents, const quota::account_snapshot& account) {
  const auto terms = account.plan ? account.plan->terms : quota::plan_terms{};
  if (terms.usd_micro_per_credit == 0) {
    return invalid(
        "this organization's plan has no price per credit (overage_usd); change the plan, or grant "
        "the credits",
        "amount_usd");
  }
  if (cents < terms.top_up_minimum_cents) {
    return invalid("the plan \"" + terms.plan + "\" sells credits for at least $" +
                       dollars_text(terms.top_up_minimum_cents),
                   "amount_usd");
  }
  if (!quota::credits_bought(cents, terms.usd_micro_per_credit).in_range()) {
    return invalid("a top-up is at most 4000000000 credits", "amount_usd");
  }
  return {};
}

checked<quota::top_up_verdict> read_verdict(const api_request& request) {
  const auto body = read_body(request, {{"status"}, {}});
  if (!body) return body.error();
  const auto status = text_field(*body, "status", 64);
  if (!status) return status.error();
  if (*status && **status == "paid") return quota::top_up_verdict::paid;
  if (*status && **status == "declined") return quota::top_up_verdict::declined;
  return invalid("status must be paid or declined", "status");
}

api_error no_such_top_up(const std::string& id) {
  auto error = not_found("no such top-up: \"" + id + "\"; GET .../top_ups lists them");
  error.code = "top_up_not_found";
  return error;
}

api_error top_up_outcome_unknown(const std::string& id) {
  return ledger_unavailable(
      "whether the top-up was requested is unknown; repeat the call with Idempotency-Key: " + id);
}

api_error paid_already() {
  return {.status = 409,
          .code = "top_up_paid",
          .message =
              "this top-up was paid and its credits were granted; it cannot be declined. A "
              "negative correction takes credits away",
          .param = "status",
          .retry_after = {},
          .allow = {}};
}

// The payment was made, whatever the answer.
api_error no_room_for_payment() {
  auto error = balance_full("status");
  error.message =
      "the balance would exceed 8000000000 credits with this payment. The payment was not "
      "recorded, its credits were not granted, and nothing was changed. Use credits first, then "
      "repeat the call";
  return error;
}

}  // namespace

task<api_response> top_up_endpoints::buy(admin_call call) {
  const auto cents = read_cents(call.request);
  if (!cents) co_return failure(cents.error(), call.request.request_id);
  const auto id = idempotency_key(call.request, "topup_");
  if (!id) co_return failure(id.error(), call.request.request_id);
  const auto account = co_await services_.history.snapshot_without_holds(call.org);
  if (!account) co_return failure(top_up_outcome_unknown(*id), call.request.request_id);
  if (auto error = refuse_amount(**cents, *account)) {
    co_return failure(*error, call.request.request_id);
  }
  const quota::operation operation = quota::request_top_up{*id, **cents};
  const auto answer = co_await services_.ledger.apply(call.org, operation);
  if (!answer) co_return failure(top_up_outcome_unknown(*id), call.request.request_id);
  switch (answer->result) {
    case quota::outcome::recorded:
    case quota::outcome::exists:
      co_return co_await show(call.org, *id, answer->result == quota::outcome::exists, 201,
                              call.request.request_id);
    case quota::outcome::exists_with_different_amount:
      co_return failure(key_reused("a top-up with another amount"), call.request.request_id);
    case quota::outcome::balance_full:
      co_return failure(balance_full("amount_usd"), call.request.request_id);
    default:  // the plan has just changed
      co_return failure(invalid("the plan no longer sells this", "amount_usd"),
                        call.request.request_id);
  }
}

// Harmless when repeated: a paid top-up stays paid, and a declined one may still be paid.
task<api_response> top_up_endpoints::resolve(admin_call call) {
  const auto verdict = read_verdict(call.request);
  if (!verdict) co_return failure(verdict.error(), call.request.request_id);
  const quota::operation operation = quota::resolve_top_up{call.item, *verdict};
  const auto answer = co_await services_.ledger.apply(call.org, operation);
  if (!answer) {
    co_return failure(ledger_unavailable("repeat the call, which is harmless"),
                      call.request.request_id);
  }
  if (answer->result == quota::outcome::not_found) {
    co_return failure(no_such_top_up(call.item), call.request.request_id);
  }
  if (answer->result == quota::outcome::balance_full) {
    co_return failure(no_room_for_payment(), call.request.request_id);
  }
  const bool declines = *verdict == quota::top_up_verdict::declined;
  if (declines && answer->result == quota::outcome::already_paid) {
    co_return failure(paid_already(), call.request.request_id);
  }
  const bool repeated = answer->result == quota::outcome::already_paid ||
                        answer->result == quota::outcome::already_declined;
  co_return co_await show(call.org, call.item, repeated, 200, call.request.request_id);
}

// The answer is made from the books.
task<api_response> top_up_endpoints::show(quota::org_id org, std::string id, bool repeated,
                                          int status, std::string request_id) {
  const auto all = co_await services_.history.top_ups(org);
  if (!all) co_return failure(top_up_outcome_unknown(id), request_id);
  const auto found =
      std::find_if(all->begin(), all->end(), [&](const auto& one) { return one.id == id; });
  if (found == all->end()) co_return failure(top_up_outcome_unknown(id), request_id);
  json_writer out;
  write_top_up(out, *found);
  auto response = success(out.take(), status);
  if (repeated) say_replayed(response);
  co_return response;
}

}  // namespace tollgate::proxy::admin
