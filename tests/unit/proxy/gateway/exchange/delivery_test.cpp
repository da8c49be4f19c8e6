// Answers that end irregularly.
#include "proxy/gateway/exchange/delivery.hpp"

#include "tests/unit/proxy/gateway/exchange/conversation.hpp"
#include "tests/unit/proxy/gateway/exchange/wav.hpp"
#include "tests/unit/routes/readers/support.hpp"

namespace tollgate::proxy {
namespace {

std::string chunk(const std::string& bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}
const std::string events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
const std::string in_chunks = "Transfer-Encoding: chunked\r\n\r\n";
const std::string content = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
const std::string done = "data: [DONE]\n\n";

struct broken_case {
  std::string name;
  std::string version, answer;  // of the client's HTTP; sent before the connection breaks
  std::string rest;             // received by the client after the events
  bool is_told;                 // whether the client is told that it has all of them
  std::string end;
  quota::credits charged;
};
void PrintTo(const broken_case& each, std::ostream* out) {
  *out << each.name;
}
class a_broken_answer : public conversation, public testing::WithParamInterface<broken_case> {};

TEST_P(a_broken_answer, says_whether_something_is_missing) {
  const auto up = expect_connection();
  auto request = chat();
  request.replace(request.find("HTTP/1.1"), 8, GetParam().version);
  ask(request);
  up->send(GetParam().answer);
  run();
  up->reset();
  run();
  EXPECT_TRUE(answer().ends_with(GetParam().rest));
  EXPECT_EQ(pipe->closed_with_reset(), !GetParam().is_told && GetParam().version == "HTTP/1.0");
  EXPECT_EQ(pipe->closed(), !serving);
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().end, GetParam().end);
  EXPECT_EQ(available(), 100_credits - GetParam().charged);
}

INSTANTIATE_TEST_SUITE_P(
    all, a_broken_answer,
    testing::Values(
        broken_case{"with_all_its_events", "HTTP/1.1", events + in_chunks + chunk(content + done),
                    done + "\r\n0\r\n\r\n", true, "accepted", 10_credits},
        broken_case{"with_all_its_events_for_1_0", "HTTP/1.0",
                    events + in_chunks + chunk(content + done), done, true, "accepted", 10_credits},
        broken_case{"without_its_last_event", "HTTP/1.1", events + in_chunks + chunk(content),
                    content + "\r\n", false, "upstream_failed", 10_credits},
        broken_case{"without_its_last_event_for_1_0", "HTTP/1.0",
                    events + in_chunks + chunk(content), content, false, "upstream_failed",
                    10_credits},
        broken_case{"with_all_its_events_of_a_length", "HTTP/1.1",
                    events + "Content-Length: 999\r\n\r\n" + content + done, done, false,
                    "accepted", 10_credits},
        broken_case{"with_nothing_but_an_error", "HTTP/1.1",
                    events + in_chunks + chunk("data: {\"error\":{\"message\":\"no\"}}\n\n"),
                    "\n\n\r\n", false, "stream_error", 0_credits},
        broken_case{"with_a_malformed_chunk", "HTTP/1.1", events + in_chunks + "zz\r\n", "\r\n\r\n",
                    false, "empty", 0_credits}),
    [](const auto& each) { return each.param.name; });

// --- an answer that is cut where the credits end -----------------------------------------------

class a_cut_answer : public conversation {
 protected:
  std::string speak(const std::string& version = "HTTP/1.1") {
    return "POST /v1/audio/speech " + version +
           "\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\nContent-Length: 2\r\n\r\nhi";
  }
  // With the third piece, the answer costs more than the credits.
  void deliver(const std::string& head, const std::vector<std::string>& pieces) {
    const auto up = expect_connection();
    up->send(head);
    for (const auto& each : pieces) up->send(each);
    ask(request);
    EXPECT_TRUE(comes([&] { return !host->finished.empty(); }));
    EXPECT_TRUE(all_is_settled());
    EXPECT_EQ(last().end, "cut");
    EXPECT_EQ(last().code, "insufficient_credits");
    EXPECT_EQ(available(), 100_credits - last().charged);
    EXPECT_TRUE(up->closed());
  }
  static std::string event_of(const std::string& audio) {
    return "event: speech.audio.delta\ndata: {\"type\":\"speech.audio.delta\",\"audio\":\"" +
           routes::readers::to_base64(audio) + "\"}\n\n";
  }

  std::string request = speak();
};

TEST_F(a_cut_answer, of_events_ends_with_one_that_says_why) {
  const auto body = wav(200);
  deliver(events + in_chunks,
          {chunk(event_of(body.substr(0, 8'000))), chunk(event_of(body.substr(8'000)))});
  const auto got = answer();
  EXPECT_NE(got.find("\n\nevent: error\ndata: {"), std::string::npos) << got.substr(0, 2000);
  EXPECT_NE(got.find("The answer was cut because the credits are used up."), std::string::npos);
  EXPECT_TRUE(got.ends_with("\n\n\r\n0\r\n\r\n"));
  EXPECT_FALSE(pipe->closed_with_reset());
}

TEST_F(a_cut_answer, without_a_length_is_reset) {
  const auto body = wav(200);
  request = speak("HTTP/1.0");
  deliver("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n" + in_chunks,
          {chunk(body.substr(0, 8'000)), chunk(body.substr(8'000))});
  EXPECT_TRUE(pipe->closed_with_reset());
}

// Eight samples per second: the piece with the head already costs more than the credits.
TEST_F(a_cut_answer, may_be_cut_before_its_first_piece) {
  auto body = wav(2);
  body.replace(24, 8, std::string{"\x08\0\0\0\x08\0\0\0", 8});
  deliver("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n" + in_chunks + chunk(body), {});
  EXPECT_TRUE(answer().ends_with("\r\n\r\n"));
  EXPECT_EQ(last().charged, 0_credits);
}

TEST_F(a_cut_answer, whose_client_has_left_by_then_is_that_of_a_client_that_left) {
  const auto body = wav(200);
  const auto up = expect_connection();
  ask(request);
  pipe->refuse_writes();
  up->send("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n" + in_chunks + chunk(body));
  EXPECT_TRUE(comes([&] { return !host->finished.empty(); }));
  EXPECT_EQ(last().end, "client_gone");
  EXPECT_TRUE(all_is_settled());
}

}  // namespace
}  // namespace tollgate::proxy
