// A client's connection, from its first byte to its last: what counts as a request, and how long a
// connection stays open.
#include "proxy/gateway/session.hpp"

#include <boost/asio/read.hpp>

#include "tests/unit/proxy/gateway/worker_fixture.hpp"

namespace tollgate::proxy {
namespace {

class a_session : public worker_fixture {
 protected:
  std::int64_t connections() const { return work->sessions().connections(); }
  // Requests without a route that were answered with this class of status.
  std::int64_t counted(int status, quota::stream_end how = quota::stream_end::not_sent) {
    return work->current()->metrics.no_route->request(status, how).read();
  }
};

TEST_F(a_session, carries_one_exchange_after_the_other) {
  const auto up = upstreams->expect();
  const auto client = ask(get("/v1/agents/a/x"));
  up->send(ok("one"));
  run();
  EXPECT_TRUE(client->take().ends_with("one"));
  EXPECT_EQ(work->sessions().in_flight(), 0);
  client->send("\r\n\r\n" + get("/v1/agents/a/x"));  // empty lines before a request
  run();
  EXPECT_EQ(work->sessions().in_flight(), 1);
  up->send(ok("two"));
  run();
  EXPECT_TRUE(client->take().ends_with("two"));
  EXPECT_EQ(connections(), 1);
  EXPECT_FALSE(client->closed());
}

TEST_F(a_session, answers_what_is_pipelined_in_its_order) {
  const auto up = upstreams->expect();
  const auto client = ask(get("/v1/agents/a/x") + get("/v1/agents/a/y") + get("/nowhere"));
  up->send(ok("one"));
  run();
  up->send(ok("two"));
  run();
  const auto got = client->take();
  const auto one = got.find("one"), two = got.find("two"), last = got.find("HTTP/1.1 404");
  EXPECT_TRUE(one < two && two < last && last != std::string::npos) << got;
}

TEST_F(a_session, shares_its_thread_while_it_answers_what_is_pipelined) {
  const auto crowd = connect(), other = connect();
  std::string many;
  for (int i = 0; i < 100; ++i) many += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";  // without a key
  crowd->send(many);
  other->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  auto& loop = work->executor().context();
  loop.restart();
  while (other->received().empty() && loop.poll_one() > 0) {
  }
  EXPECT_FALSE(other->received().empty());
  const auto answered = [&] {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = crowd->received().find("HTTP/1.1 401", at)) != std::string::npos;
         ++at) {
      ++count;
    }
    return count;
  };
  EXPECT_LT(answered(), 10U);
  run();
  EXPECT_EQ(answered(), 100U);
}

TEST_F(a_session, takes_a_head_that_comes_in_pieces) {
  const auto client = connect();
  for (const char c : get("/nowhere")) {
    EXPECT_EQ(client->received(), "");
    client->send({c});
    run();
  }
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 404"));
}

struct bad_head {
  std::string name, bytes, status, message;
};
void PrintTo(const bad_head& each, std::ostream* out) {
  *out << each.name;
}
class bad_heads : public a_session, public testing::WithParamInterface<bad_head> {};

TEST_P(bad_heads, are_answered_and_end_the_connection) {
  open(test_configuration + "limits: { head: 8KiB }\nlog: { access: off }\n");
  const auto client = ask(GetParam().bytes + get("/nowhere"));
  const auto got = client->received();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 " + GetParam().status)) << got;
  EXPECT_NE(got.find(GetParam().message), std::string::npos) << got;
  EXPECT_NE(got.find("Connection: close\r\n"), std::string::npos) << got;
  EXPECT_EQ(got.find("Connection: "), got.rfind("Connection: ")) << got;  // one answer
  EXPECT_TRUE(client->shut_down());
  client->end();
  run();
  EXPECT_TRUE(client->closed());
  EXPECT_EQ(connections(), 0);
  EXPECT_EQ(work->sessions().in_flight(), 0);
  EXPECT_EQ(counted(400), 1);
}

std::string many_fields(int n) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < n; ++i) head += "a" + std::to_string(i) + ": b\r\n";
  return head + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    all, bad_heads,
    testing::Values(
        bad_head{"no_request_line", "hello\r\n\r\n", "400", "Malformed request: "},
        bad_head{"no_host", "GET / HTTP/1.1\r\n\r\n", "400", "needs a Host header"},
        bad_head{"two_lengths",
                 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                 "400", "Content-Length appears more than once"},
        bad_head{"bare_line_feeds", "GET / HTTP/1.1\nHost: a\n\n", "400", "bare LF"},
        bad_head{"another_version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "400", "HTTP/1.1"},
        bad_head{"too_many_fields", many_fields(256), "431", "more than 256 header fields"},
        bad_head{"too_large", "GET / HTTP/1.1\r\nHost: a\r\nx: " + std::string(8200, 'x'), "431",
                 "larger than 8192 bytes"}),
    [](const auto& each) { return each.param.name; });

TEST_F(a_session, that_ends_in_the_middle_of_a_head_is_told_so) {
  const auto client = ask("GET / HT");
  client->end();
  run();
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 400"));
  EXPECT_NE(client->received().find("ended before its head did"), std::string::npos);
  EXPECT_TRUE(client->closed());
}

TEST_F(a_session, that_says_nothing_is_not_answered) {
  const auto gone = connect(), leaving = connect();
  gone->end();
  leaving->reset();
  run();
  EXPECT_EQ(gone->received() + leaving->received(), "");
  EXPECT_TRUE(gone->closed() && leaving->closed());
  EXPECT_EQ(connections(), 0);
  EXPECT_EQ(counted(400), 0);
}

// The time limit for a head begins with the head; a connection may be idle for longer.
TEST_F(a_session, has_its_time) {
  open(test_configuration +
       "timeouts: { client_head: 10s, keep_alive: 30s }\nlog: { access: off }\n");
  const auto idle = connect(), begun = ask("GET / HT");
  pass(20s);
  EXPECT_TRUE(begun->closed());
  EXPECT_EQ(begun->received(), "");
  EXPECT_FALSE(idle->closed());
  pass(31s);
  EXPECT_TRUE(idle->closed());
  EXPECT_EQ(connections(), 0);
}

// A client that sends its whole request before it reads must not lose the answer to a reset.
class a_refused_upload : public a_session {
 protected:
  std::shared_ptr<tests::memory_pipe> upload() {
    const auto client = ask("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\nx");
    EXPECT_TRUE(client->shut_down());
    EXPECT_FALSE(client->closed());
    return client;
  }
  // Continues to send until then.
  void send_until(tests::memory_pipe& client, std::chrono::seconds end) {
    for (auto now = 1s; now <= end; now += 1s) {
      client.send(std::string(10'000, 'x'));
      run();
      pass(now);
    }
  }
};

TEST_F(a_refused_upload, is_read_until_its_client_has_the_answer) {
  const auto client = upload();
  send_until(*client, 3s);
  EXPECT_FALSE(client->closed());
  client->end();
  run();
  EXPECT_TRUE(client->closed());
  EXPECT_EQ(connections(), 0);
}

TEST_F(a_refused_upload, is_not_read_for_ever) {
  const auto silent = upload(), talking = upload();
  send_until(*talking, 6s);
  EXPECT_TRUE(silent->closed());
  EXPECT_FALSE(talking->closed());
  send_until(*talking, 32s);
  EXPECT_TRUE(talking->closed());
}

TEST_F(a_refused_upload, is_read_for_less_long_while_draining) {
  const auto client = upload();
  work->drain();
  run();
  send_until(*client, 1s);
  EXPECT_FALSE(client->closed());
  send_until(*client, 4s);
  EXPECT_TRUE(client->closed());
}

TEST_F(a_session, ends_with_a_drain_when_it_is_idle) {
  const auto up = upstreams->expect();
  const auto fresh = connect(), used = ask(get("/nowhere")), busy = ask(get("/v1/agents/a/x"));
  work->drain();
  run();
  EXPECT_TRUE(fresh->closed() && used->closed());
  EXPECT_FALSE(busy->closed());
  up->send(ok("the last one"));
  run();
  EXPECT_NE(busy->received().find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(busy->received().ends_with("the last one"));
  busy->end();
  run();
  EXPECT_EQ(connections(), 0);
}

TEST_F(a_session, in_the_middle_of_a_head_is_still_answered_while_draining) {
  const auto request = get("/nowhere");
  const auto client = ask(request.substr(0, 10));
  work->drain();
  work->drain();  // no second call is needed
  run();
  client->send(request.substr(10) + get("/nowhere"));
  run();
  const auto got = client->received();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 404"));
  EXPECT_EQ(got.find("HTTP/1.1", 1), std::string::npos);
}

TEST_F(a_session, that_is_cut_pays_as_one_whose_client_left) {
  const auto up = upstreams->expect(), another = upstreams->expect();
  const auto waiting = ask(chat()), uploading =
                                        ask("POST /v1/agents/a/x HTTP/1.1\r\nHost: a\r\n"
                                            "Authorization: Bearer tg_live_acme\r\n"
                                            "Content-Length: 9\r\n\r\nabc");
  EXPECT_EQ(account().held, quota::credits::from_micro(10'100'000));
  work->cut();
  run();
  EXPECT_TRUE(waiting->closed() && uploading->closed() && up->closed() && another->closed());
  EXPECT_EQ(connections(), 0);
  EXPECT_EQ(work->charges().pending(), 0U);
  EXPECT_EQ(account().held, 0_credits);
  EXPECT_EQ(account().settled, 10_credits);
}

class ids_that_fail final : public quota::id_source {
 public:
  std::uint64_t random_bits() override { throw std::runtime_error{"no more randomness"}; }
};

TEST_F(a_session, that_ends_by_an_exception_ends_alone) {
  auto ids = std::exchange(work->world().ids, std::make_unique<ids_that_fail>());
  const auto failing = ask("hello\r\n\r\n");
  EXPECT_TRUE(failing->closed());
  EXPECT_EQ(failing->received(), "");
  EXPECT_EQ(connections(), 0);
  work->world().ids = std::move(ids);
  EXPECT_TRUE(ask("hello\r\n\r\n")->received().starts_with("HTTP/1.1 400"));
}

// --- too many connections ----------------------------------------------------------------------

const std::string half_a_chat =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
    "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{";

TEST_F(a_session, makes_room_while_its_call_waits_for_its_client_and_holds_nothing) {
  const auto up = upstreams->expect();
  const auto calling = ask(chat()), slow = ask(half_a_chat);
  EXPECT_TRUE(work->sessions().make_room(started));
  run();
  EXPECT_TRUE(slow->closed());
  EXPECT_EQ(connections(), 1);
  EXPECT_FALSE(work->sessions().make_room(started));
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(calling->received().ends_with("hello"));
}

TEST_F(a_session, makes_room_in_the_head_of_its_next_call) {
  const auto half = ask(get("/nowhere") + "GET / HT");
  EXPECT_TRUE(half->received().starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(work->sessions().make_room(started));
  run();
  EXPECT_TRUE(half->closed());
}

TEST_F(a_session, that_uploads_makes_room_only_if_most_are_of_its_organization) {
  const auto up = upstreams->expect();
  const auto client =
      ask("POST /v1/agents/a/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
          "Content-Length: 9\r\n\r\nabc");
  EXPECT_TRUE(up->received().ends_with("abc"));
  const auto stranger = connect();
  EXPECT_TRUE(work->sessions().make_room(started));
  run();
  EXPECT_TRUE(stranger->closed());
  EXPECT_FALSE(client->closed());
  EXPECT_TRUE(work->sessions().make_room(started));
  run();
  EXPECT_TRUE(client->closed() && up->closed());
  EXPECT_EQ(account().settled, 0_credits);  // the upstream has not got all of it
  EXPECT_EQ(account().held, 0_credits);
}

// Nobody shows a key then.
TEST_F(a_session, in_use_makes_no_room_without_metering_either) {
  open(test_configuration + "metering: off\nlog: { access: off }\n");
  const auto up = upstreams->expect();
  const auto client = ask(get("/v1/agents/a/x"));
  EXPECT_FALSE(work->sessions().make_room(started));
  up->send(ok("hello"));
  run();
  EXPECT_TRUE(client->received().ends_with("hello"));
  EXPECT_TRUE(work->sessions().make_room(started + 1s));
  run();
  EXPECT_EQ(connections(), 0);
}

// Every byte would begin the time anew.
TEST_F(a_session, has_one_time_limit_for_all_of_a_small_body) {
  open(test_configuration + "timeouts: { client_body: 10s }\nlog: { access: off }\n");
  const auto client = ask(half_a_chat);
  for (auto now = 1s; now < 10s; now += 1s) {
    client->send(" ");
    run();
    pass(now);
    EXPECT_FALSE(client->closed());
  }
  pass(11s);
  EXPECT_TRUE(client->closed());
  EXPECT_EQ(connections(), 0);
}

}  // namespace
}  // namespace tollgate::proxy
