// Helpers of all calls that read an account.
#pragma once

#include "proxy/net/api/accept.hpp"
#include "proxy/net/api/query_parameters.hpp"
#include "proxy/text/text.hpp"

namespace tollgate::proxy::admin {

inline bool wants_csv(const api_request& request) {
  return best_of(request.accept, {"application/json", "text/csv"}) == 1;
}

inline api_response csv_response(std::string body) {
  return {.status = 200,
          .content_type = "text/csv; charset=utf-8; header=present",
          .body = std::move(body),
          .headers = {}};
}

inline api_response text_response(std::string body) {
  return {.status = 200,
          .content_type = "text/plain; charset=utf-8",
          .body = std::move(body),
          .headers = {}};
}

inline std::optional<api_error> refuse_parameters(const api_request& request) {
  const auto parameters = query_parameters::parse(request.query, {});
  if (!parameters) return parameters.error();
  return {};
}

}  // namespace tollgate::proxy::admin
