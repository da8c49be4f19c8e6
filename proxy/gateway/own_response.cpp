#include "proxy/gateway/own_response.hpp"

#include <boost/beast/http/status.hpp>

#include "proxy/net/http/date.hpp"
#include "routes/readers/coded_body.hpp"

namespace tollgate::proxy {

own_response refusal(const routes::problem& problem, routes::dialect dialect,
                     std::string_view request_id) {
  own_response response;
  response.status = status_of(problem.code);
  response.body = routes::render(problem, dialect, request_id);
  if (problem.retry_after) {
    response.headers.emplace_back("Retry-After", std::to_string(problem.retry_after->count()));
  }
  // The SDKs of OpenAI and Anthropic obey it.
  if (!is_cured_by_waiting(problem.code)) response.headers.emplace_back("x-should-retry", "false");
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (problem.code == routes::problem_code::upgrade_required) {  // RFC 9110, 15.5.22
    response.headers.emplace_back("Upgrade", "HTTP/1.1");
    response.headers.emplace_back("Connection", "Upgrade");
  }
  if (problem.code == routes::problem_code::unsupported_content_encoding) {  // and 12.5.3
    response.headers.emplace_back("Accept-Encoding", routes::readers::known_codings);
  }
  return response;
}

std::string serialize(const own_response& response, std::string_view request_id,
                      std::chrono::system_clock::time_point now) {
  namespace http = boost::beast::http;
  const bool has_content = response.status != 204;
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(http::obsolete_reason(static_cast<http::status>(response.status)));
  out.append("\r\nDate: ").append(http_date(now));
  if (has_content) out.append("\r\nContent-Type: ").append(response.content_type);
  if (has_content && response.follows == framing::none) {
    out.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
  } else if (response.follows == framing::chunked) {
    out.append("\r\nTransfer-Encoding: chunked");
  }
  out.append("\r\nX-Request-Id: ").append(request_id);
  for (const auto& [name, value] : response.headers) {
    out.append("\r\n").append(name).append(": ").append(value);
  }
  out.append("\r\n").append(response.account_fields).append(response.cors);
  out.append(response.close ? "Connection: close\r\n\r\n" : "\r\n");
  if (!response.is_head) out.append(response.body);
  return out;
}

}  // namespace tollgate::proxy
