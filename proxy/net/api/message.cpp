#include "proxy/net/api/message.hpp"

#include <algorithm>

#include "proxy/text/json_writer.hpp"
#include "quota/store_error.hpp"

namespace tollgate::proxy::admin {

namespace {

std::string_view type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 409:
    case 422:
      return "idempotency_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "unavailable_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

}  // namespace

api_response success(std::string_view data, int status) {
  json_writer out;
  out.begin_object().key("success").boolean(true).key("data").raw(data).end_object();
  return {.status = status, .body = out.take() + "\n", .headers = {}};
}

api_response failure(const api_error& error, std::string_view request_id) {
  json_writer out;
  out.begin_object().key("success").boolean(false).key("type").string("error");
  out.key("error").begin_object();
  out.key("code").string(error.code).key("type").string(type_of(error.status));
  out.key("message").string(error.message).key("param").string_or_null(error.param);
  out.end_object();
  out.key("request_id").string_or_null(request_id).end_object();
  api_response response{.status = error.status, .body = out.take() + "\n", .headers = {}};
  if (error.retry_after) {
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after->count()));
  }
  if (!error.allow.empty()) response.headers.emplace_back("Allow", error.allow);
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

void add_common_fields(std::vector<std::pair<std::string, std::string>>& fields) {
  const std::pair<std::string, std::string> common[] = {{"Cache-Control", "no-store"},
                                                        {"X-Content-Type-Options", "nosniff"}};
  for (const auto& field : common) {
    const auto same = [&](const auto& each) { return each.first == field.first; };
    if (std::ranges::none_of(fields, same)) fields.push_back(field);
  }
}

api_error invalid(std::string message, std::string param) {
  return {.message = std::move(message), .param = std::move(param), .retry_after = {}, .allow = {}};
}

api_error balance_full(std::string param) {
  return {.status = 409,
          .code = "balance_full",
          .message =
              "with these credits and those of open top-ups the balance would exceed 4000000000 "
              "credits to either side of zero; nothing was changed or charged. Use credits first, "
              "or ask for fewer",
          .param = std::move(param),
          .retry_after = {},
          .allow = {}};
}

api_error not_found(std::string message) {
  return {.status = 404,
          .code = "not_found",
          .message = std::move(message),
          .param = {},
          .retry_after = {},
          .allow = {}};
}

api_error method_not_allowed(std::string allow) {
  return {.status = 405,
          .code = "method_not_allowed",
          .message = "this endpoint allows " + allow,
          .param = {},
          .retry_after = {},
          .allow = allow};
}

api_error no_memory(std::string_view what) {
  return {.status = 503,
          .code = "overloaded",
          .message = "there is no memory for this " + std::string{what} + " now; try again shortly",
          .param = {},
          .retry_after = std::chrono::seconds{1},
          .allow = {}};
}

api_error ledger_unavailable(std::string advice) {
  return {.status = 503,
          .code = "ledger_unavailable",
          .message = "ledger unavailable; " + advice,
          .param = {},
          .retry_after = std::chrono::seconds{1},
          .allow = {}};
}

}  // namespace tollgate::proxy::admin
