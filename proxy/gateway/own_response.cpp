#include "proxy/gateway/own_response.hpp"

#include <boost/beast/http/status.hpp>

namespace tollgate::proxy {

own_response refusal(const routes::problem& problem, routes::dialect dialect,
                     std::string_view request_id) {
  own_response response;
  response.status = status_of(problem.code);
  response.body = routes::render(problem, dialect, request_id);
  if (problem.retry_after) {
    response.headers.emplace_back("Retry-After", std::to_string(problem.retry_after->count()));
  }
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

std::string serialize(const own_response& response, std::string_view request_id) {
  namespace http = boost::beast::http;
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(http::obsolete_reason(static_cast<http::status>(response.status)));
  out.append("\r\nContent-Type: ").append(response.content_type);
  if (response.follows == framing::none) {
    out.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
  } else if (response.follows == framing::chunked) {
    out.append("\r\nTransfer-Encoding: chunked");
  }
  out.append("\r\nX-Request-Id: ").append(request_id);
  for (const auto& [name, value] : response.headers) {
    out.append("\r\n").append(name).append(": ").append(value);
  }
  out.append("\r\n").append(response.account_fields);
  out.append(response.close ? "Connection: close\r\n\r\n" : "\r\n");
  if (!response.is_head) out.append(response.body);
  return out;
}

}  // namespace tollgate::proxy
