#include "proxy/gateway/own_response.hpp"

#include <gmock/gmock.h>

namespace tollgate::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

routes::problem problem_with(routes::problem_code code) {
  return {code, "It went wrong.", {}, {}};
}

std::string text_of(const routes::problem& problem, bool close = false, bool is_head = false) {
  auto response = refusal(problem, routes::dialect::platform, "request-1");
  response.close = close;
  response.is_head = is_head;
  return serialize(response, "request-1", std::chrono::system_clock::from_time_t(784'111'777));
}

TEST(own_response, is_a_whole_message) {
  const auto text = text_of(problem_with(routes::problem_code::insufficient_credits));
  EXPECT_THAT(text,
              StartsWith("HTTP/1.1 402 Payment Required\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                         "Content-Type: application/json\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nX-Request-Id: request-1\r\n"));
  const auto body = text.substr(text.find("\r\n\r\n") + 4);
  EXPECT_THAT(text, HasSubstr("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
  EXPECT_THAT(body, HasSubstr("\"code\":\"insufficient_credits\""));
  EXPECT_THAT(text, Not(HasSubstr("Connection")));
}

TEST(own_response, says_when_the_connection_ends) {
  EXPECT_THAT(text_of(problem_with(routes::problem_code::invalid_request), true),
              HasSubstr("\r\nConnection: close\r\n"));
}

TEST(own_response, to_head_has_the_head_only) {
  const auto text = text_of(problem_with(routes::problem_code::no_route), false, true);
  EXPECT_THAT(text, EndsWith("\r\n\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("Content-Length: 0")));
}

TEST(own_response, says_when_to_come_back) {
  auto problem = problem_with(routes::problem_code::ledger_unavailable);
  problem.retry_after = std::chrono::seconds{7};
  EXPECT_THAT(text_of(problem), HasSubstr("\r\nRetry-After: 7\r\n"));
}

TEST(own_response, says_how_to_authenticate) {
  EXPECT_THAT(text_of(problem_with(routes::problem_code::missing_api_key)),
              HasSubstr("\r\nWWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(text_of(problem_with(routes::problem_code::org_suspended)),
              Not(HasSubstr("WWW-Authenticate")));
}

TEST(own_response, says_whether_to_repeat_the_request) {
  EXPECT_THAT(text_of(problem_with(routes::problem_code::insufficient_credits)),
              HasSubstr("\r\nx-should-retry: false\r\n"));
  EXPECT_THAT(text_of(problem_with(routes::problem_code::rate_limited)),
              Not(HasSubstr("x-should-retry")));
}

TEST(own_response, without_content_has_no_length) {
  own_response response;
  response.status = 204;
  const auto text = serialize(response, "r", std::chrono::system_clock::time_point{});
  EXPECT_EQ(text,
            "HTTP/1.1 204 No Content\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "X-Request-Id: r\r\n\r\n");
}

}  // namespace
}  // namespace tollgate::proxy
