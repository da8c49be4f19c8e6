// A call that is open when its key is revoked, or its organization is suspended.
#include "tests/unit/proxy/gateway/exchange/losing_access.hpp"

namespace tollgate::proxy {
namespace {

TEST_F(a_call_that_loses_access, gets_a_frame_that_closes_its_websocket) {
  const auto up = open_socket();
  up->send(text_frame("hello"));
  run();
  EXPECT_EQ(answer(), text_frame("hello"));
  lose(revoked);
  const std::string reason = "This API key was revoked during the call; create a new one.";
  EXPECT_EQ(answer(), close_frame(1008, reason));
  EXPECT_TRUE(up->closed());
  EXPECT_FALSE(serving);
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().charged, quota::credits::from_micro(100'000));
}

TEST_F(a_call_that_loses_access, gets_the_frame_that_it_is_being_sent_first) {
  const auto up = open_socket();
  const auto one = text_frame("hello"), next = text_frame("next");
  up->send(one.substr(0, 4));
  run();
  lose(suspended);
  EXPECT_EQ(answer(), one.substr(0, 4));
  up->send(one.substr(4) + next);
  run();
  const std::string reason =
      "This organization was suspended during the call; ask its administrator.";
  EXPECT_EQ(answer(), one.substr(4) + close_frame(1008, reason));
  EXPECT_TRUE(up->closed());
}

TEST_F(a_call_that_loses_access, does_not_wait_long_for_the_rest_of_a_frame) {
  const auto up = open_socket();
  up->send(text_frame("hello").substr(0, 4));
  run();
  lose(revoked);
  EXPECT_TRUE(serving);
  host->deadlines().tick(host->deadlines().now() + 1s);
  run();
  EXPECT_FALSE(serving);
  EXPECT_EQ(answer(), text_frame("hello").substr(0, 4));
}

TEST_F(a_call_that_loses_access, is_told_so_in_an_event_stream) {
  const auto up = expect_connection();
  ask(chat());
  up->send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
      "e\r\ndata: {\"a\":1}\n\r\n");
  run();
  EXPECT_NE(answer().find("data: {\"a\":1}"), std::string::npos);
  lose(revoked);
  const auto got = answer();
  EXPECT_NE(got.find("event: error\ndata: "), std::string::npos) << got;
  EXPECT_NE(got.find("invalid_api_key"), std::string::npos) << got;
  EXPECT_TRUE(got.ends_with("0\r\n\r\n")) << got;
  EXPECT_TRUE(up->closed());
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().end, "cut");
  EXPECT_EQ(last().charged, 10_credits);
}

TEST_F(a_call_that_loses_access, is_charged_for_the_seconds_that_were_delivered) {
  const auto up = expect_connection();
  const std::string request =
      "POST /v1/audio/speech HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
      "Content-Length: 0\r\n\r\n";
  ask(request);
  up->send(
      "HTTP/1.1 200 OK\r\nContent-Type: audio/pcm;rate=8000;channels=1;bits=8\r\n"
      "Content-Length: 80000\r\n\r\n" +
      std::string(8000, 'x'));
  run();
  lose(suspended);
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().end, "cut");
  EXPECT_TRUE(last().settles);
  EXPECT_LT(last().charged, 10_credits);
  EXPECT_TRUE(pipe->closed());
}

TEST_F(a_call_that_loses_access, waiting_for_its_answer_is_refused) {
  const auto up = expect_connection();
  ask(chat());
  lose(suspended);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 403")) << got;
  EXPECT_TRUE(up->closed());
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().end, "client_gone_waiting");  // the upstream has its work
  EXPECT_EQ(last().charged, 10_credits);
}

TEST_F(a_call_that_loses_access, sending_its_body_is_refused) {
  ask("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
      "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");
  lose(revoked);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 401")) << got;
  EXPECT_FALSE(serving);
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(a_call_that_loses_access, goes_on_where_the_configuration_says_so) {
  use(test_configuration + "identity: { on_revoked: finish }\n");
  auto up = expect_connection();
  ask(chat());
  ASSERT_NE(call, nullptr);
  call->lost_access(revoked);
  run();
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(answer().ends_with("hello"));
}

TEST_F(a_call_that_loses_access, never_keeps_a_websocket) {
  use(test_configuration + "identity: { on_revoked: finish }\n");
  const auto up = open_socket();
  lose(revoked);
  EXPECT_TRUE(answer().starts_with("\x88"));
}

}  // namespace
}  // namespace tollgate::proxy
