// Request bodies: kept, streamed, metered, held back and abandoned.
#include "tests/unit/proxy/gateway/exchange/conversation.hpp"
#include "tests/unit/proxy/gateway/exchange/wav.hpp"

namespace tollgate::proxy {
namespace {

std::string chunk(const std::string& bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

class an_upload : public conversation {
 protected:
  static std::string head_of(const std::string& path, const std::string& fields) {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n" +
           fields + "\r\n";
  }
  static std::string audio(const std::string& fields) {
    return head_of("/v1/audio/transcriptions", "Content-Type: audio/wav\r\n" + fields);
  }
  static std::string length(std::size_t n) {
    return "Content-Length: " + std::to_string(n) + "\r\n";
  }
};

TEST_F(an_upload, is_passed_on_piece_by_piece) {
  const auto up = expect_connection();
  ask(head_of("/v1/agents/a/files", length(10)));
  EXPECT_TRUE(up->take().ends_with("\r\n\r\n"));  // the head is sent at once
  pipe->send("01234");
  run();
  EXPECT_EQ(up->take(), "01234");
  pipe->send("56789");
  run();
  EXPECT_EQ(up->take(), "56789");
  up->send(ok("done"));
  run();
  EXPECT_TRUE(answer().ends_with("done"));
  EXPECT_EQ(last().bytes_in, 10U);
  EXPECT_TRUE(serving);
}

TEST_F(an_upload, in_chunks_stays_in_chunks) {
  const auto up = expect_connection();
  ask(head_of("/v1/agents/a/files", "Transfer-Encoding: chunked\r\n") + chunk("abc"));
  EXPECT_TRUE(up->take().ends_with("\r\n\r\n3\r\nabc\r\n"));
  pipe->send(chunk("de") + "0\r\n\r\n");
  run();
  EXPECT_EQ(up->take(), "2\r\nde\r\n0\r\n\r\n");
  up->send(ok("done"));
  run();
  EXPECT_TRUE(answer().ends_with("done"));
}

TEST_F(an_upload, is_asked_for_where_the_client_waits) {
  const auto up = expect_connection();
  ask(head_of("/v1/agents/a/files", "Expect: 100-continue\r\n" + length(3)));
  EXPECT_EQ(answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  pipe->send("abc");
  run();
  EXPECT_TRUE(up->received().ends_with("abc"));
  up->send(ok("x"));
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200"));
}

TEST_F(an_upload, that_decides_the_price_is_asked_for_too) {
  const auto up = expect_connection();
  auto request = chat("Expect: 100-continue\r\n");
  const auto body = request.substr(request.find("{"));
  request.erase(request.find("{"));
  ask(request);
  EXPECT_EQ(answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  pipe->send(body.substr(0, 7));
  run();
  pipe->send(body.substr(7));
  run();
  EXPECT_TRUE(up->received().ends_with(body));
}

TEST_F(an_upload, may_be_answered_before_it_has_ended) {
  const auto up = expect_connection();
  ask(head_of("/v1/agents/a/files", length(10)) + "012");
  up->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  run();
  EXPECT_TRUE(answer().ends_with("3\r\nabc\r\n"));
  pipe->send("3456789");
  run();
  EXPECT_TRUE(up->received().ends_with("3456789"));
  up->send("0\r\n\r\n");
  run();
  EXPECT_EQ(answer(), "0\r\n\r\n");
  EXPECT_EQ(last().bytes_in, 10U);
}

TEST_F(an_upload, ends_with_the_answer) {
  const auto up = expect_connection();
  ask(head_of("/v1/agents/a/files", length(10)) + "012");
  up->send(ok("enough"));
  run();
  EXPECT_TRUE(answer().ends_with("enough"));
  EXPECT_TRUE(up->closed());
  EXPECT_FALSE(serving);
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().charged, quota::credits::from_micro(100'000));
}

TEST_F(an_upload, that_is_malformed_or_short_is_refused) {
  auto up = expect_connection();
  ask(head_of("/v1/agents/a/files", "Transfer-Encoding: chunked\r\n") + "zz\r\n");
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 400"));
  EXPECT_EQ(last().end, "client_gone_early");
  EXPECT_TRUE(up->closed());
  start();
  up = expect_connection();
  ask(head_of("/v1/agents/a/files", length(10)) + "012");
  pipe->end();
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(up->closed());
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(an_upload, whose_client_leaves_costs_nothing) {
  const auto up = expect_connection();
  ask(head_of("/v1/agents/a/files", length(10)) + "012");
  pipe->reset();
  run();
  EXPECT_TRUE(up->closed());
  EXPECT_EQ(last().end, "client_gone_early");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(an_upload, whose_upstream_leaves_is_a_bad_gateway) {
  const auto up = expect_connection();
  ask(head_of("/v1/agents/a/files", length(10)) + "012");
  up->reset();
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 502"));
  EXPECT_FALSE(comes([&] { return host->finished.empty(); }));
  EXPECT_EQ(last().end, "no_answer");
}

TEST_F(an_upload, that_takes_too_long_ends) {
  const auto up = expect_connection();
  ask(head_of("/v1/agents/a/files", length(10)) + "012");
  host->deadlines().tick(steady_time{24h});
  run();
  EXPECT_TRUE(pipe->closed());
  EXPECT_TRUE(up->closed());
  EXPECT_FALSE(serving);
}

TEST_F(an_upload, of_little_left_is_read_after_a_refusal) {
  ask(head_of("/nowhere", length(10)) + "012");
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 404"));
  EXPECT_EQ(host->finished.size(), 0U);  // it waits for the rest
  pipe->send("3456789");
  run();
  EXPECT_EQ(host->finished.size(), 1U);
  EXPECT_TRUE(serving);
  EXPECT_EQ(last().bytes_in, 0U);
}

// --- seconds of audio --------------------------------------------------------------------------

TEST_F(an_upload, of_audio_that_is_short_is_held_exactly) {
  const auto up = expect_connection();
  const auto body = wav(3);
  ask(audio(length(body.size())) + body);
  EXPECT_EQ(store.account("acme").row().held, 3_credits);
  EXPECT_TRUE(up->received().ends_with(body));
  up->send(ok("words"));
  run();
  const auto got = answer();
  EXPECT_NE(got.find("X-Credits-Charged: 3\r\n"), std::string::npos) << got;
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 97_credits);
  EXPECT_EQ(last().audio_us, 3'000'000);
}

TEST_F(an_upload, of_audio_goes_up_but_for_its_last_byte_until_all_is_held) {
  const auto up = expect_connection();
  const auto body = wav(60);
  ask(audio(length(body.size())) + body.substr(0, 300'000));
  const auto so_far = up->take();
  EXPECT_TRUE(so_far.ends_with(body.substr(299'000, 999)));  // all but the last byte
  EXPECT_EQ(so_far.size() - so_far.find("\r\n\r\n") - 4, 299'999U);
  pipe->send(body.substr(300'000));
  run();
  EXPECT_EQ(up->take().size(), body.size() - 299'999);
  EXPECT_EQ(store.account("acme").row().held, 60_credits);
  up->send(ok("words"));
  run();
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 40_credits);
  EXPECT_EQ(last().extended, 59_credits);
}

TEST_F(an_upload, of_audio_beyond_the_credits_never_goes_up_whole) {
  const auto up = expect_connection();
  const auto body = wav(200);
  ask(audio(length(body.size())) + body.substr(0, 300'000));
  pipe->send(body.substr(300'000));
  run();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 402"));
  EXPECT_LT(up->received().size(), body.size());
  EXPECT_TRUE(up->closed());
  EXPECT_EQ(last().code, "insufficient_credits");
  EXPECT_EQ(last().end, "not_sent");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

// The bytes sent before are charged, whatever the route says of upstreams that fail; the piece that
// was refused is not.
class an_answered_upload : public an_upload, public testing::WithParamInterface<const char*> {};

TEST_P(an_answered_upload, that_runs_out_of_credits_pays_for_what_went_up) {
  auto yaml = test_configuration;
  const std::string rate = "rate: stt }", policy = GetParam();
  yaml.replace(yaml.find(rate), rate.size(),
               "rate: stt, settlement: { upstream_failed: " + policy + " } }");
  use(yaml);
  const auto up = expect_connection();
  const auto body = wav(200);
  ask(audio(length(body.size())) + body.substr(0, 300'000));
  up->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  run();
  EXPECT_TRUE(answer().ends_with("3\r\nabc\r\n"));
  pipe->send(body.substr(300'000));
  run();
  EXPECT_TRUE(up->closed());
  EXPECT_TRUE(pipe->closed());
  const auto& sent = up->received();
  const auto bytes = sent.size() - sent.find("\r\n\r\n") - 4 + 1;  // and the held-back byte
  const auto seconds = (bytes - 44 + 7'999) / 8'000;
  EXPECT_GT(seconds, 40U);
  EXPECT_LE(seconds, 100U);
  const auto cost = quota::credits::from_whole(static_cast<std::int64_t>(seconds));
  EXPECT_EQ(last().charged, cost);
  EXPECT_EQ(last().end, "cut");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits - cost);
}
INSTANTIATE_TEST_SUITE_P(all, an_answered_upload, testing::Values("settle", "void"));

// Nothing was delivered in that case.
TEST_F(an_upload, that_runs_out_of_credits_before_the_first_content_costs_nothing) {
  const auto up = expect_connection();
  const auto body = wav(200);
  ask(audio(length(body.size())) + body.substr(0, 300'000));
  up->send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
  run();
  pipe->send(body.substr(300'000));
  run();
  EXPECT_EQ(last().end, "empty");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

// The head of the answer has arrived, unread, when the upload is refused.
TEST_F(an_upload, that_was_refused_gets_no_answer_of_the_upstream) {
  add_customer("poor", "tg_live_poor", 40_credits);
  const auto up = expect_connection();
  const auto body = wav(200);
  auto request = audio(length(body.size()));
  request.replace(request.find("tg_live_acme"), 12, "tg_live_poor");
  ask(request + body.substr(0, 300'000));
  EXPECT_FALSE(up->closed());
  pipe->send(body.substr(300'000, 60'000));
  up->send(ok("words"));
  run();
  EXPECT_TRUE(up->closed());
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 402"));
  EXPECT_EQ(last().end, "not_sent");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available("poor"), 40_credits);
}

// An answer reports the balance with the rest of the hold given back.
TEST_F(an_upload, of_audio_says_what_is_left) {
  const auto up = expect_connection();
  const auto body = wav(40);
  ask(audio(length(body.size())) + body.substr(0, 300'000));
  EXPECT_GT(store.account("acme").row().held, 40_credits);
  pipe->send(body.substr(300'000));
  run();
  EXPECT_EQ(store.account("acme").row().held, 40_credits);
  up->send(ok("words"));
  run();
  const auto got = answer();
  EXPECT_NE(got.find("X-Credits-Remaining: 60\r\nX-Credits-Charged: 40\r\n"), std::string::npos)
      << got;
}

TEST_F(an_upload, that_is_no_audio_is_refused) {
  ask(audio(length(5)) + "hello");
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 415"));
  EXPECT_EQ(last().code, "unmeasurable_audio");
  EXPECT_FALSE(last().held);
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(an_upload, whose_type_stands_twice_is_refused) {
  ask(audio("Content_Type: audio/mpeg\r\n" + length(5)) + "hello");
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 400"));
}

TEST_F(an_upload, of_audio_is_given_up_while_the_ledger_is_away) {
  const auto up = expect_connection();
  const auto body = wav(95);  // more than is held in advance
  ask(audio(length(body.size())) + body.substr(0, 300'000));
  store.reachable = false;
  pipe->send(body.substr(300'000));
  EXPECT_TRUE(comes([&] { return !host->finished.empty(); }));
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(up->closed());
  EXPECT_EQ(last().end, "not_sent");
  store.reachable = true;
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

// An MP4 whose index is at the end, as far as it is read here: it can be measured only once
// complete.
TEST_F(an_upload, that_needs_all_is_kept_in_a_file) {
  const auto free_box = [](std::size_t size) {
    std::string box(size, '\0');
    for (int i = 0; i < 4; ++i) box[i] = static_cast<char>(size >> (24 - 8 * i));
    box.replace(4, 4, "mdat");
    return box;
  };
  const std::string type{
      "\0\0\0\x18"
      "ftypM4A \0\0\0\0M4A isom",
      24};
  const auto body = type + free_box(400'000);
  ask(head_of("/v1/audio/transcriptions", "Content-Type: audio/mp4\r\n" + length(body.size())) +
      body.substr(0, 300'000));
  EXPECT_EQ(store.account("acme").row().held, 1_credits);  // the least that it can cost
  EXPECT_GT(spool_space::shared().taken(), 200'000U);
  pipe->send(body.substr(300'000));
  EXPECT_TRUE(comes([&] { return !host->finished.empty(); }));
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 415"));  // it has no index after all
  EXPECT_EQ(spool_space::shared().taken(), 0U);
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 100_credits);
}

// --- answers of audio --------------------------------------------------------------------------

class a_speech : public an_upload {
 protected:
  static std::string speak() { return head_of("/v1/audio/speech", length(2)) + "hi"; }
};

TEST_F(a_speech, is_charged_for_what_was_delivered) {
  const auto up = expect_connection();
  ask(speak());
  EXPECT_EQ(store.account("acme").row().held, 2_credits);
  const auto body = wav(5);
  up->send("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n" + length(body.size()) + "\r\n" + body);
  run();
  EXPECT_TRUE(answer().ends_with(body));
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 95_credits);
  EXPECT_EQ(last().audio_us, 5'000'000);
}

TEST_F(a_speech, tells_its_price_in_a_trailer) {
  const auto up = expect_connection();
  ask(head_of("/v1/audio/speech", "TE: trailers\r\nConnection: TE\r\n" + length(2)) + "hi");
  const auto body = wav(3);
  up->send("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n" + length(body.size()) + "\r\n" + body);
  run();
  EXPECT_TRUE(answer().ends_with("\r\n0\r\nX-Credits-Charged: 3\r\n\r\n"));
}

TEST_F(a_speech, is_cut_where_the_credits_end) {
  const auto up = expect_connection();
  ask(speak());
  const auto body = wav(200);
  up->send("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n" + length(body.size()) + "\r\n" +
           body.substr(0, 8000));
  run();
  up->send(body.substr(8000));
  run();
  EXPECT_TRUE(comes([&] { return !host->finished.empty(); }));
  EXPECT_TRUE(pipe->closed());
  EXPECT_EQ(last().end, "cut");
  EXPECT_EQ(last().code, "insufficient_credits");
  EXPECT_TRUE(all_is_settled());
  EXPECT_GE(available(), 0_credits);
  EXPECT_EQ(available(), 100_credits - last().charged);
}

TEST_F(a_speech, whose_client_leaves_before_it_pays_the_estimate) {
  const auto up = expect_connection();
  ask(speak());
  pipe->reset();
  run();
  EXPECT_EQ(last().end, "client_gone_waiting");
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 98_credits);
}

}  // namespace
}  // namespace tollgate::proxy
