#include "routes/problem.hpp"

#include <map>

#include <gtest/gtest.h>

#include "tests/unit/routes/support.hpp"

namespace tollgate::routes {
namespace {

struct row {
  problem_code code;
  int status;
  const char *name, *platform, *openai, *anthropic;
};

class problem_table : public testing::TestWithParam<row> {};

TEST_P(problem_table, is_what_clients_know) {
  const auto& r = GetParam();
  EXPECT_EQ(status_of(r.code), r.status);
  EXPECT_EQ(to_string(r.code), r.name);
  for (const auto& [how, type] : std::map<dialect, std::string>{{dialect::platform, r.platform},
                                                                {dialect::openai, r.openai},
                                                                {dialect::anthropic, r.anthropic}})
    EXPECT_EQ(render({r.code, "m", {}, {}}, how, "id"),
              R"({"success":false,"type":"error","error":{"code":")" + std::string{r.name} +
                  R"(","type":")" + type + R"(","message":"m","param":null},"request_id":"id"})");
}

constexpr auto bad = "invalid_request_error", auth = "authentication_error",
               server = "server_error", upstream = "upstream_error", away = "unavailable_error",
               api = "api_error";

INSTANTIATE_TEST_SUITE_P(
    rows, problem_table,
    testing::Values(
        row{problem_code::invalid_request, 400, "invalid_request", bad, bad, bad},
        row{problem_code::missing_api_key, 401, "missing_api_key", auth, bad, auth},
        row{problem_code::invalid_api_key, 401, "invalid_api_key", auth, bad, auth},
        row{problem_code::insufficient_credits, 402, "insufficient_credits", "billing_error",
            "insufficient_quota", "billing_error"},
        row{problem_code::spend_cap_reached, 402, "spend_cap_reached", "billing_error",
            "insufficient_quota", "billing_error"},
        row{problem_code::limit_reached, 402, "limit_reached", "billing_error",
            "insufficient_quota", "billing_error"},
        row{problem_code::org_suspended, 403, "org_suspended", "permission_error", bad,
            "permission_error"},
        row{problem_code::no_route, 404, "no_route", "not_found_error", bad, "not_found_error"},
        row{problem_code::body_too_large, 413, "body_too_large", "request_too_large", bad,
            "request_too_large"},
        row{problem_code::unmeasurable_audio, 415, "unmeasurable_audio", bad, bad, bad},
        row{problem_code::unsupported_content_encoding, 415, "unsupported_content_encoding", bad,
            bad, bad},
        row{problem_code::headers_too_large, 431, "headers_too_large", bad, bad, bad},
        row{problem_code::internal_error, 500, "internal_error", api, server, api},
        row{problem_code::upstream_unreachable, 502, "upstream_unreachable", upstream, server, api},
        row{problem_code::bad_upstream_response, 502, "bad_upstream_response", upstream, server,
            api},
        row{problem_code::ledger_unavailable, 503, "ledger_unavailable", away, server,
            "overloaded_error"},
        row{problem_code::overloaded, 503, "overloaded", away, server, "overloaded_error"},
        row{problem_code::upstream_timeout, 504, "upstream_timeout", upstream, server,
            "timeout_error"},
        row{problem_code::request_timeout, 408, "request_timeout", bad, bad, bad},
        row{problem_code::rate_limited, 429, "rate_limited", "rate_limit_error", "requests",
            "rate_limit_error"}));

TEST(render, escapes_what_a_client_sent) {
  const problem odd{problem_code::no_route, "a\"b\\c\n\x01\x7F\xC3\xA9\xFF\xC0\xAF", {}, {}};
  EXPECT_EQ(
      render(odd, dialect::platform, "\"\r\n"),
      R"({"success":false,"type":"error","error":{"code":"no_route","type":"not_found_error",)"
      R"("message":"a\"b\\c\u000a\u0001\u007f)"
      "\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
      R"(","param":null},"request_id":"\"\u000d\u000a"})");
}

TEST(render, states_facts_beside_the_message) {
  const problem p{
      problem_code::insufficient_credits, "m", {}, {{"a", "1.5", false}, {"b", "x\"", true}}};
  const auto text = render(p, dialect::openai, "r");
  EXPECT_NE(text.find(R"("param":null,"a":1.5,"b":"x\""})"), std::string::npos) << text;
}

TEST(guess_dialect, goes_by_headers_and_path) {
  using fields = std::vector<std::pair<std::string, std::string>>;
  const auto guess = [](std::string path, fields headers) {
    const head request{"GET", path, std::move(headers)};
    return guess_dialect(path, request.view());
  };
  const fields none, key{{"X-Api-Key", "k"}}, version{{"Anthropic-Version", "2023-06-01"}};
  EXPECT_EQ(guess("/v1/chat/completions", none), dialect::openai);
  EXPECT_EQ(guess("/v1/chat/completions", key), dialect::openai);
  EXPECT_EQ(guess("/openai/v1/responses", none), dialect::openai);
  EXPECT_EQ(guess("/v1/messages", none), dialect::anthropic);
  EXPECT_EQ(guess("/anthropic/v1/messages/count_tokens", none), dialect::anthropic);
  EXPECT_EQ(guess("/v1/models", version), dialect::anthropic);
  EXPECT_EQ(guess("/v1/nothing", {{"anthropic-beta", "x"}}), dialect::anthropic);
  EXPECT_EQ(guess("/v1/nothing", {{"OpenAI-Organization", "o"}}), dialect::openai);
  EXPECT_EQ(guess("/v1/agents/1", none), dialect::platform);
  EXPECT_EQ(guess("/v1/agents/1", key), dialect::anthropic);
}

TEST(is_cured_by_waiting, says_which_refusals_are_worth_repeating) {
  for (const auto code :
       {problem_code::rate_limited, problem_code::request_timeout, problem_code::internal_error,
        problem_code::upstream_unreachable, problem_code::bad_upstream_response,
        problem_code::ledger_unavailable, problem_code::overloaded, problem_code::upstream_timeout})
    EXPECT_TRUE(is_cured_by_waiting(code)) << to_string(code);
  for (const auto code :
       {problem_code::invalid_request, problem_code::missing_api_key, problem_code::invalid_api_key,
        problem_code::insufficient_credits, problem_code::spend_cap_reached,
        problem_code::limit_reached, problem_code::org_suspended, problem_code::no_route,
        problem_code::body_too_large, problem_code::unmeasurable_audio,
        problem_code::unsupported_content_encoding, problem_code::headers_too_large,
        problem_code::upgrade_required})
    EXPECT_FALSE(is_cured_by_waiting(code)) << to_string(code);
}

}  // namespace
}  // namespace tollgate::routes
