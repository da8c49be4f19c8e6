// What clients send that are not plain SDKs: coding agents, desktop applications, browsers.
#include <gmock/gmock.h>

#include "tests/support/deflate.hpp"
#include "tests/unit/proxy/gateway/exchange/conversation.hpp"

namespace tollgate::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class a_client : public conversation {
 protected:
  // Sends a request that is forwarded, and returns what the upstream got.
  std::string forwarded(std::string request) {
    const auto up = expect_connection();
    ask(std::move(request));
    const auto got = up->received();
    up->send(ok("hello"));
    run();
    return got;
  }
};

const std::string more = R"yaml(
identity: { key_headers: [api-key, x-goog-api-key], key_query: key }
cors: { origins: ["https://app.example.com", "https://*.example.org"], max_age: 5m }
)yaml";

std::string upgrade(const std::string& path) {
  return get(path,
             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
}

TEST_F(a_client, that_asks_for_a_websocket_is_told_to_use_http) {
  ask(upgrade("/v1/chat/completions"));
  const auto got = answer();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 426 Upgrade Required\r\nDate: "));
  EXPECT_THAT(got, HasSubstr("\r\nUpgrade: HTTP/1.1\r\nConnection: Upgrade\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nx-should-retry: false\r\n"));
  EXPECT_THAT(got, HasSubstr("\"code\":\"upgrade_required\""));
  EXPECT_EQ(available(), 100_credits);
  EXPECT_THAT(forwarded(chat()),
              StartsWith("POST /v1/chat/completions "));  // on the same connection
}

TEST_F(a_client, that_asks_for_a_websocket_where_nothing_has_a_price_gets_404) {
  ask(upgrade("/v1/nowhere"));
  EXPECT_THAT(answer(), StartsWith("HTTP/1.1 404 "));
}

TEST_F(a_client, that_compresses_its_body_is_forwarded_byte_for_byte) {
  const auto body = tests::deflated(R"({"model":"gpt-4o","messages":[]})");
  const auto got = forwarded(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
      "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_THAT(got, HasSubstr("\r\nContent-Encoding: gzip\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
  EXPECT_THAT(got, EndsWith("\r\n\r\n" + body));
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 90_credits);
  EXPECT_EQ(host->aside, std::vector<quota::org_id>{"acme"}) << "it held up the event loop";
}

TEST_F(a_client, whose_body_cannot_be_decoded_any_more_may_repeat_the_call) {
  const auto body = tests::deflated(R"({"model":"gpt-4o","messages":[]})");
  host->is_draining = true;
  ask("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
      "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  const auto got = answer();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(got, HasSubstr("\r\nRetry-After: 1\r\n"));
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(a_client, with_an_unknown_coding_is_told_which_ones_are_known) {
  ask(chat("Content-Encoding: compress\r\n"));
  const auto got = answer();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 415 "));
  EXPECT_THAT(got, HasSubstr("\r\nAccept-Encoding: gzip, deflate, zstd, br\r\n"));
}

TEST_F(a_client, with_a_bomb_gets_413) {
  const auto body = tests::deflated(std::string(9'000'000, ' '));
  ask("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
      "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_THAT(answer(), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(a_client, with_a_credential_of_its_own_is_known_by_its_tollgate_key) {
  const auto got = forwarded(chat("x-api-key: sk-ant-of-the-desktop\r\n"));
  EXPECT_THAT(got, Not(HasSubstr("tg_live_acme")));
  EXPECT_THAT(got, Not(HasSubstr("sk-ant")));
  EXPECT_EQ(last().org, "acme");
}

TEST_F(a_client, may_show_its_key_where_the_configuration_says) {
  use(test_configuration + more);
  const std::string line = " HTTP/1.1\r\nHost: a\r\n";
  const auto up = expect_connection();
  for (const auto& request :
       {"GET /v1/agents/a/x?alt=sse" + line + "api-key: tg_live_acme\r\n\r\n",
        "GET /v1/agents/a/x?alt=sse" + line + "X-Goog-Api-Key: tg_live_acme\r\n\r\n",
        "GET /v1/agents/a/x?key=tg_live_acme&alt=sse" + line + "\r\n",
        "GET /v1/agents/a/x?alt=sse&key=tg_live_acme" + line + "api-key: vendors\r\n\r\n"}) {
    ask(request);
    const auto got = up->received();
    up->send(ok("hello"));
    run();
    EXPECT_THAT(answer(), StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(got, HasSubstr("GET /v1/agents/a/x?alt=sse HTTP/1.1\r\n"));
    EXPECT_THAT(got, Not(HasSubstr("tg_live_acme")));
    EXPECT_THAT(got, Not(HasSubstr("vendors")));
    EXPECT_EQ(last().org, "acme");
  }
}

TEST_F(a_client, may_not_show_its_key_elsewhere) {
  ask("GET /v1/agents/a/x?key=tg_live_acme HTTP/1.1\r\nHost: a\r\napi-key: tg_live_acme\r\n\r\n");
  EXPECT_THAT(answer(), StartsWith("HTTP/1.1 401 "));
}

TEST_F(a_client, that_looks_whether_the_gateway_is_there_needs_no_key) {
  ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(last().org, "");
  ask("HEAD /api/hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer(), StartsWith("HTTP/1.1 200 OK\r\n"));
  ask("HEAD /v1/models HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer(), StartsWith("HTTP/1.1 401 "));
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer(), StartsWith("HTTP/1.1 401 "));
}

TEST_F(a_client, may_name_a_model_with_a_slash) {
  use(test_configuration + "identity: {}\n");
  const auto got = forwarded(get("/v1/agents/meta-llama%2FLlama-3.1-8B"));
  EXPECT_THAT(got, StartsWith("GET /v1/agents/meta-llama%2FLlama-3.1-8B HTTP/1.1\r\n"));
  EXPECT_EQ(last().agent, "meta-llama/Llama-3.1-8B");
}

TEST_F(a_client, is_told_not_to_repeat_what_waiting_does_not_cure) {
  add_customer("poor", "tg_live_poor", 3_credits);
  auto request = chat();
  request.replace(request.find("tg_live_acme"), 12, "tg_live_poor");
  ask(request);
  EXPECT_THAT(answer(), HasSubstr("\r\nx-should-retry: false\r\n"));
  store.reachable = false;
  ask(chat());
  EXPECT_TRUE(comes([&] { return host->finished.size() == 2; }));
  EXPECT_THAT(answer(), Not(HasSubstr("x-should-retry")));
}

TEST_F(a_client, gets_events_that_no_proxy_collects) {
  const auto up = expect_connection();
  ask(chat());
  up->send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
      "Content-Length: 14\r\n\r\ndata: [DONE]\n\n");
  run();
  const auto got = answer();
  EXPECT_THAT(got, HasSubstr("\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n"));
  ask(chat());
  up->send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "x-accel-buffering: yes\r\nContent-Length: 14\r\n\r\ndata: [DONE]\n\n");
  run();
  const auto other = answer();
  EXPECT_THAT(other, Not(HasSubstr("no-cache")));
  EXPECT_THAT(other, Not(HasSubstr("X-Accel-Buffering")));
  ask(chat());
  up->send(ok("x"));
  run();
  EXPECT_THAT(answer(), Not(HasSubstr("Cache-Control")));
}

// --- pages in a browser
// ---------------------------------------------------------------------------

const std::string preflight =
    "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example.com\r\n"
    "Access-Control-Request-Method: POST\r\n"
    "Access-Control-Request-Headers: authorization,content-type,x-stainless-os\r\n";

TEST_F(a_client, in_a_browser_may_ask_first) {
  use(test_configuration + more);
  ask(preflight + "\r\n");
  const auto got = answer();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nAccess-Control-Allow-Origin: https://app.example.com\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nAccess-Control-Allow-Methods: POST\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nAccess-Control-Allow-Headers: "
                             "authorization,content-type,x-stainless-os\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nAccess-Control-Max-Age: 300\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nVary: Origin\r\n"));
  EXPECT_THAT(got, Not(HasSubstr("Content-Length")));
  // A body that came with it is not taken for the next request.
  ask(preflight + "Content-Length: 5\r\n\r\nGET /" + preflight + "\r\n");
  const auto two = answer();
  EXPECT_NE(two.find("HTTP/1.1 204", 12), std::string::npos) << two;
  EXPECT_THAT(two, Not(HasSubstr("400")));
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(a_client, in_a_browser_may_read_answers_and_refusals) {
  use(test_configuration + more);
  const auto up = expect_connection();
  ask(chat("Origin: https://a.b.example.org\r\n"));
  up->send(
      "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://vendor\r\n"
      "Access-Control-Allow-Credentials: true\r\nContent-Length: 1\r\n\r\nx");
  run();
  const auto got = answer();
  EXPECT_THAT(got, HasSubstr("\r\nAccess-Control-Allow-Origin: https://a.b.example.org\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\nAccess-Control-Expose-Headers: *\r\n"));
  EXPECT_THAT(got, Not(HasSubstr("vendor")));
  EXPECT_THAT(got, Not(HasSubstr("Credentials")));
  ask("GET /v1/agents/a/x HTTP/1.1\r\nHost: a\r\nOrigin: https://app.example.com\r\n\r\n");
  const auto refused = answer();
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(refused, HasSubstr("\r\nAccess-Control-Allow-Origin: https://app.example.com\r\n"));
}

TEST_F(a_client, in_a_browser_of_another_origin_learns_nothing) {
  use(test_configuration + more);
  for (const std::string origin :
       {"https://evil.com", "http://app.example.com", "https://app.example.com:8443",
        "https://example.org", "https://.example.org", "https://evil.com/.example.org", "null",
        "https://app.example.com.evil.com", "https://a@x.example.org"}) {
    auto request = preflight;
    request.replace(request.find("https://app"), 23, origin);
    ask(request + "\r\n");
    const auto got = answer();
    EXPECT_THAT(got, StartsWith("HTTP/1.1 401 ")) << origin;
    EXPECT_THAT(got, Not(HasSubstr("Access-Control"))) << origin;
    EXPECT_THAT(got, HasSubstr("\r\nVary: Origin\r\n")) << origin;
  }
}

TEST_F(a_client, in_a_browser_gets_nothing_where_it_is_not_configured) {
  ask(preflight + "\r\n");
  const auto got = answer();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(got, Not(HasSubstr("Vary")));
}

}  // namespace
}  // namespace tollgate::proxy
