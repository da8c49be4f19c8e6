// One request from beginning to end, with every way in which it can end.
#include "tests/unit/proxy/gateway/exchange/conversation.hpp"
#include "tests/unit/proxy/gateway/exchange/few_events.hpp"

namespace tollgate::proxy {
namespace {

using testing::Test;

class an_exchange : public conversation {};

TEST_F(an_exchange, is_forwarded_charged_and_written_down) {
  const auto up = expect_connection();
  ask(chat("X-Agent-Id: a1\r\n"));
  EXPECT_NE(up->received().find("POST /v1/chat/completions HTTP/1.1\r\n"), std::string::npos);
  EXPECT_EQ(up->received().find("tg_live_acme"), std::string::npos);
  up->send(ok("hello"));
  run();
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200 OK\r\n")) << got;
  EXPECT_NE(got.find("X-Credits-Remaining: 90\r\nX-Credits-Charged: 10\r\n"), std::string::npos)
      << got;
  EXPECT_TRUE(got.ends_with("\r\n\r\nhello"));
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 90_credits);
  EXPECT_EQ(last().status, 200);
  EXPECT_EQ(last().org, "acme");
  EXPECT_EQ(last().route, "chat");
  EXPECT_EQ(last().agent, "a1");
  EXPECT_EQ(last().end, "accepted");
  EXPECT_EQ(last().charged, 10_credits);
  EXPECT_EQ(last().bytes_out, 5U);
  EXPECT_TRUE(last().settles);
}

TEST_F(an_exchange, leaves_both_connections_to_the_next_one) {
  const auto up = expect_connection();
  ask(chat());
  up->send(ok("one"));
  run();
  ask(chat());
  up->send(ok("two"));
  run();
  EXPECT_TRUE(serving);
  EXPECT_TRUE(answer().ends_with("two"));
  EXPECT_EQ(host->finished.size(), 2U);
  EXPECT_EQ(host->current()->pools.front()->counted().reuses, 1U);
  pipe->reset();
  EXPECT_TRUE(comes([&] { return !serving; }));
}

TEST_F(an_exchange, takes_what_is_pipelined) {
  const auto up = expect_connection();
  ask(get("/v1/agents/a7/memory") + get("/v1/agents/a7/memory"));
  up->send(ok("one"));
  run();
  up->send(ok("two"));
  run();
  const auto got = answer();
  EXPECT_NE(got.find("one"), std::string::npos);
  EXPECT_TRUE(got.ends_with("two"));
  EXPECT_EQ(last().agent, "a7");
}

struct refusal_case {
  std::string request, status, code;
};
class refused : public conversation, public testing::WithParamInterface<refusal_case> {};

TEST_P(refused, before_anything_is_sent) {
  const auto& [request, status, code] = GetParam();
  ask(request);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 " + status)) << got;
  EXPECT_NE(got.find("\"code\":\"" + code + "\""), std::string::npos) << got;
  EXPECT_EQ(last().code, code);
  EXPECT_EQ(last().end, "not_sent");
  EXPECT_EQ(available(), 100_credits);
  EXPECT_EQ(host->charges().pending(), 0U);
}

const std::string key = "Host: a\r\nAuthorization: Bearer tg_live_acme\r\n";
INSTANTIATE_TEST_SUITE_P(
    all, refused,
    testing::Values(
        refusal_case{"TRACE / HTTP/1.1\r\n" + key + "\r\n", "400", "invalid_request"},
        refusal_case{"GET /a%2fb HTTP/1.1\r\n" + key + "\r\n", "400", "invalid_request"},
        refusal_case{"GET /v1/agents/a/x HTTP/1.1\r\n" + key + "Expect: miracles\r\n\r\n", "400",
                     "invalid_request"},
        refusal_case{"GET /v1/agents/a/x HTTP/1.1\r\nHost: a\r\n\r\n", "401", "missing_api_key"},
        refusal_case{"GET /v1/agents/a/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
                     "tg_live_nobody\r\n\r\n",
                     "401", "invalid_api_key"},
        refusal_case{"GET /nowhere HTTP/1.1\r\n" + key + "\r\n", "404", "no_route"},
        refusal_case{"GET /v1/agents/a/x HTTP/1.1\r\n" + key +
                         "X-Agent-Id: " + std::string(300, 'a') + "\r\n\r\n",
                     "400", "invalid_request"},
        refusal_case{"POST /v1/chat/completions HTTP/1.1\r\n" + key +
                         "Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n",
                     "413", "body_too_large"},
        refusal_case{
            "POST /v1/chat/completions HTTP/1.1\r\n" + key +
                "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "400", "invalid_request"},
        refusal_case{"GET /v1/audio/speech HTTP/1.1\r\n" + key + "\r\n", "404", "no_route"}));

TEST_F(an_exchange, without_credits_is_refused_and_told_what_it_has) {
  add_customer("poor", "tg_live_poor", 3_credits);
  auto request = chat();
  request.replace(request.find("tg_live_acme"), 12, "tg_live_poor");
  ask(request);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 402")) << got;
  EXPECT_NE(got.find("X-Credits-Remaining: 3\r\nX-Credits-Charged: 0\r\n"), std::string::npos)
      << got;
  EXPECT_EQ(last().code, "insufficient_credits");
  EXPECT_FALSE(last().held);
  EXPECT_TRUE(serving);  // the connection continues
}

TEST_F(an_exchange, that_is_critical_goes_through_without_credits) {
  add_customer("poor", "tg_live_poor", 3_credits);
  const auto up = expect_connection();
  ask("GET /critical/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_poor\r\n\r\n");
  up->send(ok("x"));
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available("poor"), quota::credits::from_micro(-7'000'000));
}

TEST_F(an_exchange, while_the_ledger_is_away_forwards_nothing) {
  ask(get("/v1/agents/a/x"));  // its key is cached from here on
  run();
  store.reachable = false;
  host->finished.clear();
  answer();
  ask(chat());
  EXPECT_TRUE(comes([&] { return !host->finished.empty(); }));
  EXPECT_EQ(last().code, "ledger_unavailable");
  EXPECT_EQ(last().end, "not_sent");
}

TEST_F(an_exchange, whose_upstream_cannot_be_reached_costs_nothing) {
  ask(chat());
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 502"));
  EXPECT_EQ(last().code, "upstream_unreachable");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(an_exchange, that_the_upstream_refuses_costs_nothing) {
  const auto up = expect_connection();
  ask(chat());
  up->send("HTTP/1.1 429 Slow\r\nContent-Length: 2\r\n\r\nno");
  run();
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 429 Slow\r\n"));
  EXPECT_NE(got.find("X-Credits-Charged: 0\r\n"), std::string::npos) << got;
  EXPECT_EQ(last().end, "refused");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(an_exchange, that_gets_no_http_is_a_bad_gateway) {
  const auto up = expect_connection();
  ask(chat());
  up->send("SSH-2.0-hello\r\n\r\n");
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 502"));
  EXPECT_EQ(last().code, "bad_upstream_response");
}

TEST_F(an_exchange, that_waits_too_long_is_a_gateway_timeout) {
  const auto up = expect_connection();
  ask(chat());
  host->deadlines().tick(steady_time{24h});
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 504"));
  EXPECT_EQ(last().code, "upstream_timeout");
  EXPECT_TRUE(up->closed());
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(an_exchange, passes_a_chunked_answer_and_its_trailers_on) {
  const auto up = expect_connection();
  ask(chat());
  up->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  run();
  EXPECT_TRUE(answer().ends_with("3\r\nabc\r\n"));
  up->send("2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n");
  run();
  EXPECT_EQ(answer(), "2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_EQ(last().bytes_out, 5U);
}

TEST_F(an_exchange, to_a_client_of_1_0_ends_with_the_connection) {
  const auto up = expect_connection();
  auto request = get("/v1/agents/a/x");
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  ask(request);
  up->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  run();
  EXPECT_TRUE(answer().ends_with("\r\n\r\nabc"));
  EXPECT_FALSE(serving);
}

TEST_F(an_exchange, whose_answer_breaks_off_says_so_and_is_charged) {
  const auto up = expect_connection();
  ask(chat());
  up->send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
  run();
  up->reset();
  run();
  EXPECT_TRUE(pipe->closed());
  EXPECT_EQ(last().end, "upstream_failed");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 90_credits);
}

TEST_F(an_exchange, whose_client_leaves_while_it_waits_is_charged) {
  const auto up = expect_connection();
  ask(chat());
  pipe->reset();
  run();
  EXPECT_TRUE(up->closed());
  EXPECT_EQ(last().end, "client_gone_waiting");
  EXPECT_EQ(last().status, 0);
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 90_credits);
}

TEST_F(an_exchange, whose_client_leaves_during_the_answer_is_charged) {
  const auto up = expect_connection();
  ask(chat());
  pipe->refuse_writes();
  up->send(ok("hello"));
  run();
  EXPECT_EQ(last().end, "client_gone");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 90_credits);
}

TEST_F(an_exchange, whose_client_leaves_while_it_connects_costs_nothing) {
  const auto up = expect_connection();
  upstreams.while_connecting = [&] {
    pipe->reset();
    context.poll();
  };
  ask(chat());
  EXPECT_EQ(up->received(), "");
  EXPECT_EQ(last().end, "not_sent");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(an_exchange, whose_client_has_closed_its_half_is_answered) {
  const auto up = expect_connection();
  ask(chat());
  pipe->end();
  run();
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(answer().ends_with("hello"));
  EXPECT_FALSE(serving);
}

// A pooled connection that the upstream has closed, or closes when it is used.
TEST_F(an_exchange, takes_another_connection_where_a_pooled_one_is_dead) {
  const auto first = expect_connection();
  ask(chat());
  first->send(ok("one"));
  run();
  answer();
  const auto second = expect_connection();
  ask(get("/v1/agents/a/x"));
  first->reset();  // after it has received the bytes of a repeatable request
  run();
  EXPECT_TRUE(second->received().starts_with("GET /v1/agents/a/x"));
  second->send(ok("two"));
  run();
  EXPECT_TRUE(answer().ends_with("two"));
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().charged, quota::credits::from_micro(100'000));
}

TEST_F(an_exchange, is_not_sent_twice_where_that_could_do_harm) {
  const auto first = expect_connection();
  ask(chat());
  first->send(ok("one"));
  run();
  answer();
  ask(chat());
  first->reset();
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 502"));
  EXPECT_EQ(last().end, "no_answer");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 90_credits);
}

TEST_F(an_exchange, passes_informational_answers_on) {
  const auto up = expect_connection();
  ask(chat());
  up->send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 103 Early Hints\r\n"));
  up->send(ok("x"));
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(an_exchange, of_a_head_request_has_no_body) {
  const auto up = expect_connection();
  auto request = get("/v1/agents/a/x");
  request.replace(0, 3, "HEAD");
  ask(request);
  up->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  run();
  const auto got = answer();
  EXPECT_NE(got.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(got.ends_with("\r\n\r\n"));
}

TEST_F(an_exchange, ends_the_connection_while_draining) {
  const auto up = expect_connection();
  ask(chat());
  host->is_draining = true;
  up->send(ok("x"));
  run();
  EXPECT_NE(answer().find("Connection: close\r\n"), std::string::npos);
  EXPECT_FALSE(serving);
}

TEST_F(an_exchange, that_is_destroyed_settles_what_it_holds) {
  expect_connection();
  ask(chat());
  EXPECT_EQ(host->charges().pending(), 1U);
  EXPECT_EQ(host->finished.size(), 0U);
  pipe->reset();
  run();
  EXPECT_EQ(host->finished.size(), 1U);
  EXPECT_TRUE(all_is_settled());
}

// --- WebSockets --------------------------------------------------------------------------------

TEST_F(an_exchange, opens_a_tunnel) {
  const auto up = expect_connection();
  ask(get("/ws", "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: x\r\n"));
  up->send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhi");
  run();
  EXPECT_TRUE(answer().ends_with("\r\n\r\nhi"));
  up->take();
  pipe->send("to the upstream");
  run();
  EXPECT_EQ(up->take(), "to the upstream");
  up->send("and back");
  run();
  EXPECT_EQ(answer(), "and back");
  up->end();
  run();
  EXPECT_EQ(last().bytes_in, 15U);
  EXPECT_EQ(last().bytes_out, 10U);
  EXPECT_EQ(last().status, 101);
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().charged, quota::credits::from_micro(100'000));
}

TEST_F(an_exchange, ends_a_tunnel_with_its_client) {
  const auto up = expect_connection();
  ask(get("/ws", "Upgrade: websocket\r\nConnection: upgrade\r\n"));
  up->send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
  run();
  pipe->end();
  run();
  EXPECT_TRUE(up->closed());
  EXPECT_EQ(host->finished.size(), 1U);
}

TEST_F(an_exchange, that_is_switched_without_asking_is_refused) {
  const auto up = expect_connection();
  ask(get("/v1/agents/a/x"));
  up->send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 502"));
}

// --- answered here -----------------------------------------------------------------------------

TEST_F(an_exchange, about_billing_is_answered_here) {
  ask(get("/v1/billing/usage?from=1"));
  const auto got = answer();
  EXPECT_TRUE(got.ends_with("acme asked /usage?from=1")) << got;
  EXPECT_EQ(last().charged, quota::credits{});
  EXPECT_TRUE(serving);
}

TEST_F(an_exchange, streams_events_and_ends_the_connection) {
  const auto events = std::make_shared<few_events>(std::vector<std::string>{"one", "", "two"});
  host->events = events;
  ask(get("/v1/billing/events"));
  const auto got = answer();
  EXPECT_NE(got.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_TRUE(got.ends_with("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")) << got;
  EXPECT_TRUE(events->ended);
  EXPECT_EQ(last().bytes_out, 6U);
  EXPECT_FALSE(serving);
}

TEST_F(an_exchange, of_another_configuration_streams_no_more_events) {
  host->events = std::make_shared<few_events>(std::vector<std::string>{"one"});
  ask(get("/v1/billing/events", "Expect: 100-continue\r\n"));
  EXPECT_FALSE(serving);
  start();
  host->is_draining = true;
  ask(get("/v1/billing/events"));
  EXPECT_TRUE(pipe->shut_down());
}

}  // namespace
}  // namespace tollgate::proxy
