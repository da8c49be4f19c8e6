// Whatever a call waits for, the wait ends when its caller's access does: one test for each.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "tests/unit/proxy/gateway/exchange/few_events.hpp"
#include "tests/unit/proxy/gateway/exchange/losing_access.hpp"

namespace tollgate::proxy {
namespace {

// More than a write may take once the access is lost, with the tick that notices it.
constexpr auto soon = 600ms;

const std::string upload =
    "POST /v1/agents/a/files HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";

// --- for a connection to the upstream -----------------------------------------------------------

class a_call_that_waits_to_connect : public a_call_that_loses_access {
 protected:
  ~a_call_that_waits_to_connect() override {
    upstreams.answer();  // too late: nothing is sent
    run();
    if (up) {
      EXPECT_EQ(up->received(), "");
      EXPECT_TRUE(up->closed());
      EXPECT_EQ(up->ends_in_use(), 0);
    }
  }
  void waits(const std::string& request) {
    upstreams.is_silent = true;
    up = expect_connection();
    ask(request);
    EXPECT_EQ(answer(), "");
  }
  void was_free(const std::string& how) {
    EXPECT_TRUE(all_is_settled());
    EXPECT_EQ(last().end, how);
    EXPECT_FALSE(last().settles);
    EXPECT_EQ(available(), 100_credits);
  }

  std::shared_ptr<tests::memory_pipe> up;
};

TEST_F(a_call_that_waits_to_connect, is_refused_when_it_loses_access) {
  waits(chat());
  lose(suspended);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 403")) << got;
  was_free("not_sent");
}

TEST_F(a_call_that_waits_to_connect, for_an_upload_is_refused_when_it_loses_access) {
  waits(upload);
  lose(revoked);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 401")) << got;
  was_free("not_sent");
}

TEST_F(a_call_that_waits_to_connect, once_more_is_refused_when_it_loses_access) {
  const auto first = expect_connection();
  ask(get("/v1/agents/a/x"));
  first->send(ok("hello"));
  run();
  answer();
  waits(get("/v1/agents/a/x"));  // on the connection that is open
  first->end();
  run();
  EXPECT_EQ(answer(), "");
  lose(revoked);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 401")) << got;
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().end, "not_sent");
}

// Not for its access, but for the same wait.
TEST_F(a_call_that_waits_to_connect, ends_when_its_client_leaves) {
  waits(chat());
  pipe->reset();
  run();
  EXPECT_FALSE(serving);
  was_free("not_sent");
}

TEST_F(a_call_that_waits_to_connect, ends_when_its_time_is_over) {
  use(test_configuration + "timeouts: { total: 10s }\n");
  waits(chat());
  pass(11s);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 504")) << got;
  was_free("not_sent");
}

// Also where the name servers are what does not answer.
TEST_F(a_call_that_waits_to_connect, ends_when_nobody_answers) {
  use(test_configuration + "timeouts: { connect: 2s }\n");
  waits(chat());
  pass(3s);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 504")) << got;
  EXPECT_NE(got.find("did not accept a connection in time"), std::string::npos) << got;
  was_free("not_sent");
}

// --- for the rest of its body -------------------------------------------------------------------

TEST_F(a_call_that_loses_access, while_it_streams_its_body_is_refused) {
  const auto up = expect_connection();
  ask(upload);
  EXPECT_NE(up->take().find("abc"), std::string::npos);
  lose(revoked);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 401")) << got;
  EXPECT_TRUE(up->closed());
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(a_call_that_loses_access, while_it_sends_audio_is_refused) {
  ask("POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
      "Content-Type: audio/wav\r\nContent-Length: 1000\r\n\r\nRIFF");
  lose(suspended);
  const auto got = answer();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 403")) << got;
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

// --- in a WebSocket ------------------------------------------------------------------------------

class a_websocket_that_loses_access : public a_call_that_loses_access {
 protected:
  // A frame of 64 KiB, of which `begun` bytes come.
  static std::string long_frame(std::size_t begun) {
    std::string head{"\x82\x7f\0\0\0\0\0\1\0\0", 10};
    return head + std::string(begun, 'x');
  }
};

TEST_F(a_websocket_that_loses_access, does_not_wait_for_a_frame_that_comes_slowly) {
  const auto up = open_socket();
  up->send(long_frame(100));
  run();
  lose(suspended);
  for (int i = 0; i < 7; ++i) {
    pass(100ms);
    up->send("x");
    run();
  }
  EXPECT_TRUE(up->closed());
  EXPECT_FALSE(serving);
  EXPECT_TRUE(all_is_settled());
}

TEST_F(a_websocket_that_loses_access, passes_nothing_more_to_the_upstream) {
  const auto up = open_socket();
  up->send(long_frame(100));
  run();
  pipe->send("before");
  run();
  EXPECT_TRUE(up->take().ends_with("before"));
  lose(suspended);
  EXPECT_TRUE(serving);
  pipe->send("after");
  run();
  EXPECT_EQ(up->take(), "");
  up->send(std::string(65536 - 100, 'x'));
  run();
  const std::string reason =
      "This organization was suspended during the call; ask its administrator.";
  EXPECT_TRUE(answer().ends_with("x" + close_frame(1008, reason)));
  EXPECT_EQ(up->take(), "");
  EXPECT_TRUE(up->closed());
  EXPECT_FALSE(serving);
}

TEST_F(a_websocket_that_loses_access, ends_with_its_client) {
  const auto up = open_socket();
  up->send(long_frame(100));
  run();
  lose(suspended);
  pipe->reset();
  pass(soon);
  EXPECT_FALSE(serving);
  EXPECT_TRUE(up->closed());
}

// --- for the next event of its account -----------------------------------------------------------

class a_billing_stream_that_loses_access : public a_call_that_loses_access {
 protected:
  void open(std::vector<std::string> all) {
    events = std::make_shared<few_events>(std::move(all));
    events->waits = true;
    host->events = events;
    ask(get("/v1/billing/events"));
  }
  std::shared_ptr<few_events> events;
};

TEST_F(a_billing_stream_that_loses_access, ends) {
  open({"one"});
  lose(revoked);
  EXPECT_TRUE(answer().ends_with("\r\n\r\n3\r\none\r\n0\r\n\r\n"));
  EXPECT_TRUE(events->ended);
}

TEST_F(a_billing_stream_that_loses_access, ends_also_where_answers_go_on) {
  use(test_configuration + "identity: { on_revoked: finish }\n");
  open({"one"});
  lose(revoked);
  EXPECT_TRUE(answer().ends_with("0\r\n\r\n"));
}

// The customer may see why.
TEST_F(a_billing_stream_that_loses_access, by_a_suspension_goes_on) {
  open({"one"});
  ignores_suspension();
  EXPECT_FALSE(events->ended);
  lose(revoked);
  EXPECT_TRUE(events->ended);
}

// --- for a client that does not read
// --------------------------------------------------------------

class a_slow_client_that_loses_access : public a_billing_stream_that_loses_access {
 protected:
  a_slow_client_that_loses_access() {
    asio::ip::tcp::acceptor listener{context, {asio::ip::make_address("127.0.0.1"), 0}};
    reader.open(asio::ip::tcp::v4());
    reader.set_option(asio::socket_base::receive_buffer_size{4096});
    reader.connect(listener.local_endpoint());
    tcp_socket accepted{context.get_executor()};
    listener.accept(accepted);
    accepted.non_blocking(true);
    accepted.set_option(asio::socket_base::send_buffer_size{4096});
    client = std::make_shared<downstream>(std::move(accepted), host->deadlines(), "127.0.0.1");
    upstreams.serve(*host->current(), host->deadlines());
  }
  // Until it waits for the client to read.
  void ask_slowly(const std::string& request) {
    asio::write(reader, asio::buffer(request));
    begin_serving();
    EXPECT_TRUE(comes([this] { return call != nullptr; }));
    run();
  }
  void ends_soon() {
    EXPECT_TRUE(serving);
    lose(revoked);
    pass(soon);
    EXPECT_FALSE(serving);
    EXPECT_FALSE(client->io.is_open());
    EXPECT_TRUE(all_is_settled());
  }
  asio::ip::tcp::socket reader{context};
};

TEST_F(a_slow_client_that_loses_access, of_an_answer_is_not_waited_for) {
  const auto up = expect_connection();
  ask_slowly(get("/v1/agents/a/x"));
  up->send(ok(std::string(4'000'000, 'x')));
  run();
  ends_soon();
  EXPECT_TRUE(up->closed());
  EXPECT_EQ(last().end, "client_gone");
}

TEST_F(a_slow_client_that_loses_access, of_an_event_stream_is_not_waited_for) {
  const auto up = expect_connection();
  ask_slowly(get("/v1/agents/a/x"));
  up->send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: " +
           std::string(4'000'000, 'x'));
  run();
  ends_soon();
  EXPECT_TRUE(up->closed());
}

TEST_F(a_slow_client_that_loses_access, of_a_websocket_is_not_waited_for) {
  const auto up = expect_connection();
  ask_slowly(get("/ws", upgrade));
  up->send("HTTP/1.1 101 Switching Protocols\r\n" + upgrade + "\r\n" +
           std::string{"\x82\x7f\0\0\0\0\1\0\0\0", 10} + std::string(4'000'000, 'x'));
  run();
  ends_soon();
  EXPECT_TRUE(up->closed());
}

TEST_F(a_slow_client_that_loses_access, of_a_head_that_only_informs_is_not_waited_for) {
  const auto up = expect_connection();
  ask_slowly(get("/v1/agents/a/x"));
  for (int i = 0; i < 2'000; ++i) {
    up->send("HTTP/1.1 103 Early Hints\r\nLink: " + std::string(2'000, 'x') + "\r\n\r\n");
  }
  run();
  ends_soon();
  EXPECT_TRUE(up->closed());
}

TEST_F(a_slow_client_that_loses_access, of_account_events_is_not_waited_for) {
  events = std::make_shared<few_events>(std::vector<std::string>{std::string(4'000'000, 'x')});
  events->waits = true;
  host->events = events;
  ask_slowly(get("/v1/billing/events"));
  ends_soon();
  EXPECT_TRUE(events->ended);
}

}  // namespace
}  // namespace tollgate::proxy
