// Requests and answers of the admin and billing APIs: HTTP without sockets.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/system/result.hpp>

#include "proxy/net/api/body_source.hpp"

namespace tollgate::proxy::admin {

struct api_request {
  std::string method;
  std::string path;   // without the query; for billing_api also without the prefix: "/balance"
  std::string query;  // raw, without "?"
  std::string request_id;
  std::string accept;
  std::string content_type;
  std::optional<std::string> idempotency_key;  // present but empty, or a list: not valid
  std::string last_event_id;
  std::string body;
};

struct api_response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<body_source> source = nullptr;  // instead of `body`: generated while it is sent
  std::shared_ptr<const void> memory = nullptr;   // taken for `body`, until this ends
};

struct api_error {
  int status = 400;
  std::string code = "invalid_request";
  std::string message;  // says what is wrong and what to do about it
  std::string param;    // the field or parameter that it concerns; may be empty
  std::optional<std::chrono::seconds> retry_after;
  std::string allow;  // 405: the allowed methods
};

template <class T>
using checked = boost::system::result<T, api_error>;

// {"success":true,"data":DATA}; `data` is a complete JSON value.
api_response success(std::string_view data, int status = 200);
// {"success":false,"type":"error","error":{"code","type","message","param"},"request_id"}
api_response failure(const api_error& error, std::string_view request_id);

// Headers of every answer about an account, on either listener: no caching, no sniffing. Existing
// headers of the answer stay.
void add_common_fields(std::vector<std::pair<std::string, std::string>>& fields);

// Frequent errors.
api_error invalid(std::string message, std::string param = {});
api_error not_found(std::string message);
// 409: the credits do not fit the account; nothing was granted or charged.
api_error balance_full(std::string param);
api_error method_not_allowed(std::string allow);
// 503: limits.buffered is in use. `what` cannot be taken now: "body", "report".
api_error no_memory(std::string_view what);
api_error ledger_unavailable(std::string advice = "repeat the call shortly");

}  // namespace tollgate::proxy::admin
