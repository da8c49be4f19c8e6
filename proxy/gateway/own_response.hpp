// Tollgate's own answers: refusals, and answers to customers about their own account.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/net/http/message.hpp"
#include "routes/problem.hpp"

namespace tollgate::proxy {

struct own_response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string account_fields{};  // complete lines, as write_account_fields makes them
  std::string cors{};            // likewise, as cors_lines makes them
  bool close = false;            // the connection ends after it
  bool is_head = false;          // the request was a HEAD: no body is sent
  // The framing of a body that is sent later, in chunks or until the connection ends; `none`: the
  // body is `body`.
  framing follows = framing::none;
};

own_response refusal(const routes::problem& problem, routes::dialect dialect,
                     std::string_view request_id);

// Head and body, ready to be written.
std::string serialize(const own_response& response, std::string_view request_id,
                      std::chrono::system_clock::time_point now);

}  // namespace tollgate::proxy
