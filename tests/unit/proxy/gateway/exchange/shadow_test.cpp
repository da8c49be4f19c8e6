// A route in shadow mode counts and records, and refuses nothing: neither before a call nor during
// it.
#include "tests/unit/proxy/gateway/exchange/losing_access.hpp"

namespace tollgate::proxy {
namespace {

class a_call_in_shadow_mode : public a_call_that_loses_access {
 protected:
  a_call_in_shadow_mode() { use(shadowed(test_configuration, {"chat", "api", "socket"})); }

  static std::string shadowed(std::string yaml, const std::vector<std::string>& routes) {
    for (const auto& each : routes) {
      const auto name = "{ name: " + each + ",";
      yaml.insert(yaml.find(name) + name.size(), " mode: shadow,");
    }
    return yaml;
  }
  void change(std::optional<bool> is_suspended, std::optional<bool> is_shadow = {}) {
    quota::organization_change change;
    change.suspended = is_suspended;
    change.shadow = is_shadow;
    tests::run_task(store.change("acme", change));
  }
  void is_answered_and_charged(tests::memory_pipe& up, quota::credits price) {
    up.send(ok("hello"));
    run();
    EXPECT_TRUE(answer().ends_with("hello"));
    EXPECT_TRUE(all_is_settled());
    EXPECT_EQ(last().charged, price);
  }
};

TEST_F(a_call_in_shadow_mode, is_not_refused_for_a_suspension) {
  change(true);
  const auto up = expect_connection();
  ask(chat());
  is_answered_and_charged(*up, 10_credits);
}

TEST_F(a_call_in_shadow_mode, is_not_ended_by_a_suspension_while_it_waits_for_its_answer) {
  const auto up = expect_connection();
  ask(chat());
  change(true);
  ignores_suspension();
  is_answered_and_charged(*up, 10_credits);
}

TEST_F(a_call_in_shadow_mode, is_not_ended_by_a_suspension_during_its_answer) {
  const auto up = expect_connection();
  ask(get("/v1/agents/a/x"));
  up->send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
  run();
  ignores_suspension();
  up->send("world");
  run();
  EXPECT_TRUE(answer().ends_with("helloworld"));
}

TEST_F(a_call_in_shadow_mode, is_not_ended_by_a_suspension_while_it_connects) {
  upstreams.is_silent = true;
  const auto up = expect_connection();
  ask(chat());
  ignores_suspension();
  upstreams.answer();
  run();
  is_answered_and_charged(*up, 10_credits);
}

TEST_F(a_call_in_shadow_mode, is_not_ended_by_a_suspension_during_its_upload) {
  const auto up = expect_connection();
  ask("POST /v1/agents/a/files HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
      "Content-Length: 6\r\n\r\nabc");
  ignores_suspension();
  pipe->send("def");
  run();
  EXPECT_TRUE(up->received().ends_with("abcdef"));
  is_answered_and_charged(*up, quota::credits::from_micro(100'000));
}

TEST_F(a_call_in_shadow_mode, keeps_its_websocket_when_it_is_suspended) {
  const auto up = open_socket();
  ignores_suspension();
  up->send(text_frame("hello"));
  run();
  EXPECT_EQ(answer(), text_frame("hello"));
}

// Its body says whether it is one.
TEST_F(a_call_in_shadow_mode, that_may_be_is_not_ended_by_a_suspension) {
  const auto whole = chat();
  const auto half = whole.size() - 20;
  const auto up = expect_connection();
  change(true);
  ask(whole.substr(0, half));
  ignores_suspension();
  pipe->send(whole.substr(half));
  run();
  is_answered_and_charged(*up, 10_credits);
}

TEST_F(a_call_in_shadow_mode, that_cannot_be_ends) {
  use(shadowed(test_configuration, {"api"}));
  ask(chat().substr(0, chat().size() - 20));
  lose(suspended);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 403"));
}

TEST_F(a_call_in_shadow_mode, ends_when_its_key_is_revoked) {
  const auto up = expect_connection();
  ask(chat());
  ignores_suspension();
  lose(revoked);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 401"));
  EXPECT_TRUE(up->closed());
}

// The mode of an organization is that of now, not that of the call's beginning.
TEST_F(a_call_in_shadow_mode, by_its_organization_ends_when_that_is_over) {
  use(test_configuration);
  change(false, true);
  const auto up = expect_connection();
  ask(chat());
  change(true, false);
  lose(suspended);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(up->closed());
}

TEST_F(a_call_in_shadow_mode, is_not_refused_without_credits) {
  add_customer("poor", "tg_live_poor", {});
  auto request = chat();
  request.replace(request.find("tg_live_acme"), 12, "tg_live_poor");
  const auto up = expect_connection();
  ask(request);
  is_answered_and_charged(*up, 10_credits);
}

TEST_F(a_call_in_shadow_mode, is_not_cut_when_its_credits_end) {
  use(shadowed(test_configuration, {"speech"}));
  add_customer("poor", "tg_live_poor", 2_credits);
  const auto up = expect_connection();
  ask("POST /v1/audio/speech HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_poor\r\n"
      "Content-Length: 0\r\n\r\n");
  up->send(ok(std::string(40'000, 'x'), "Content-Type: audio/pcm;rate=8000;channels=1;bits=8\r\n"));
  EXPECT_TRUE(comes([this] { return !host->finished.empty(); }));
  EXPECT_TRUE(answer().ends_with("xxx"));
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(last().end, "accepted");
  EXPECT_EQ(last().charged, 3_credits);  // 2.5 s
}

// What cannot be counted is not refused either: its estimate counts.
TEST_F(a_call_in_shadow_mode, is_not_refused_for_audio_that_cannot_be_measured) {
  use(shadowed(test_configuration, {"transcription"}));
  const auto up = expect_connection();
  ask("POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n"
      "Content-Type: audio/wav\r\nContent-Length: 8\r\n\r\nno audio");
  up->send(ok("hello"));
  run();
  const auto got = answer();
  EXPECT_TRUE(got.ends_with("hello")) << got;
}

}  // namespace
}  // namespace tollgate::proxy
