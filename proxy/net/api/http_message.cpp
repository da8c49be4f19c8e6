#include "proxy/net/api/http_message.hpp"

#include <algorithm>

#include <boost/beast/http.hpp>

#include "proxy/net/http/date.hpp"

namespace tollgate::proxy::admin {

namespace http = boost::beast::http;

namespace {

// A list may be spread over several fields.
template <class Name>
std::string every(const http_request& head, Name name) {
  std::string list;
  const auto [first, last] = head.equal_range(name);
  for (auto each = first; each != last; ++each) {
    const auto value = each->value();
    list.append(list.empty() ? "" : ", ").append(value.data(), value.size());
  }
  return list;
}

// Duplicates become a list, which no valid value matches.
std::optional<std::string> optional_field(const http_request& head, std::string_view name) {
  const boost::beast::string_view known{name.data(), name.size()};
  if (head.count(known) == 0) return std::nullopt;
  return every(head, known);
}

}  // namespace

api_request to_api(const http_request& head, std::string request_id) {
  const auto field = [&](auto name) { return std::string{head[name]}; };
  const std::string_view target{head.target().data(), head.target().size()};
  const auto question = std::min(target.find('?'), target.size());
  return {.method = std::string{head.method_string()},
          .path = std::string{target.substr(0, question)},
          .query = std::string{target.substr(std::min(question + 1, target.size()))},
          .request_id = std::move(request_id),
          .accept = every(head, http::field::accept),
          .content_type = field(http::field::content_type),
          .idempotency_key = optional_field(head, "Idempotency-Key"),
          .last_event_id = field("Last-Event-ID"),
          .body = {}};
}

http_response to_http(api_response&& from, const api_request& request, bool keep_alive) {
  http_response to{static_cast<http::status>(from.status), 11};
  add_common_fields(from.headers);
  to.set(http::field::content_type, from.content_type);
  to.set(http::field::date, http_date(std::chrono::system_clock::now()));
  to.set("X-Request-Id", request.request_id);
  for (const auto& [name, value] : from.headers) {
    name == "Set-Cookie" ? to.insert(name, value) : to.set(name, value);
  }
  to.keep_alive(keep_alive);
  to.body() = std::move(from.body);
  to.prepare_payload();
  if (request.method == "HEAD")
    to.body().clear();  // the length stays: it is that of the answer to GET
  return to;
}

api_error internal_error() {
  return {.status = 500,
          .code = "internal_error",
          .message = "internal error; see Tollgate's log",
          .param = {},
          .retry_after = {},
          .allow = {}};
}

std::optional<api_error> refusal(error_code ec) {
  const auto error = [](int status, std::string code, std::string message) {
    return api_error{.status = status,
                     .code = std::move(code),
                     .message = std::move(message),
                     .param = {},
                     .retry_after = {},
                     .allow = {}};
  };
  if (ec == http::error::header_limit) {
    return error(431, "headers_too_large", "the request's head is too large");
  }
  if (ec == http::error::body_limit) {
    return error(413, "body_too_large", "the request's body is too large");
  }
  if (ec.category() == make_error_code(http::error::bad_method).category() &&
      ec != http::error::end_of_stream && ec != http::error::partial_message) {
    return error(400, "invalid_request", "not a valid HTTP request: " + ec.message());
  }
  return {};
}

}  // namespace tollgate::proxy::admin
