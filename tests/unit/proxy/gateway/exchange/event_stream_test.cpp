// A stream of an account's events does not end by itself: the ways in which it is ended.
#include "proxy/gateway/exchange/event_stream.hpp"

#include "tests/unit/proxy/gateway/exchange/conversation.hpp"
#include "tests/unit/proxy/gateway/exchange/few_events.hpp"

namespace tollgate::proxy {
namespace {

class an_event_stream : public conversation {
 protected:
  few_events& stream(std::vector<std::string> all, bool waits = false) {
    events = std::make_shared<few_events>(std::move(all));
    events->waits = waits;
    host->events = events;
    return *events;
  }
  void open(std::string request = get("/v1/billing/events")) { ask(std::move(request)); }
  void pass(std::chrono::milliseconds time) {
    now += time;
    host->deadlines().tick(now);
    run();
  }
  static constexpr std::string_view one_and_two = "\r\n\r\n3\r\none\r\n3\r\ntwo\r\n";
  static constexpr std::string_view end = "0\r\n\r\n";

  std::shared_ptr<few_events> events;
  steady_time now = host->deadlines().now();
};

TEST_F(an_event_stream, goes_on_while_nothing_happens) {
  stream({"one", "two"}, true);
  open();
  pass(1h);
  EXPECT_TRUE(serving);
  EXPECT_TRUE(answer().ends_with(one_and_two));
  EXPECT_EQ(host->finished.size(), 0U);
}

TEST_F(an_event_stream, to_a_client_of_1_0_has_no_chunks) {
  stream({"one", "two"});
  auto request = get("/v1/billing/events");
  request.replace(request.find("1.1"), 3, "1.0");
  open(request);
  const auto got = answer();
  EXPECT_TRUE(got.ends_with("\r\n\r\nonetwo")) << got;
  EXPECT_EQ(got.find("Transfer-Encoding"), std::string::npos);
}

TEST_F(an_event_stream, that_is_only_asked_for_its_head_sends_nothing_more) {
  stream({"one", "two"});
  auto request = get("/v1/billing/events");
  request.replace(0, 3, "HEAD");
  open(request);
  EXPECT_TRUE(answer().ends_with("\r\n\r\n"));
  EXPECT_TRUE(serving);
}

// Everything that ends a stream while it waits for its next event.
class an_end_of_events : public an_event_stream {};

TEST_F(an_end_of_events, is_that_of_its_client) {
  stream({"one", "two"}, true);
  open();
  pipe->reset();
  run();
  EXPECT_TRUE(events->ended);
  EXPECT_FALSE(serving);
  EXPECT_EQ(host->finished.size(), 1U);
}

// The stream has no end, so there is no reason to wait.
TEST_F(an_end_of_events, is_that_of_its_clients_input) {
  stream({"one", "two"}, true);
  open();
  pipe->end();
  run();
  EXPECT_TRUE(events->ended);
  EXPECT_FALSE(serving);
}

TEST_F(an_end_of_events, is_a_client_that_cannot_be_written_to) {
  stream({"one", "two"}).before = [this](std::size_t i) {
    if (i == 1) pipe->refuse_writes();
  };
  open();
  EXPECT_TRUE(answer().ends_with("3\r\none\r\n"));
  EXPECT_TRUE(events->ended);
  EXPECT_EQ(last().bytes_out, 3U);
}

TEST_F(an_end_of_events, is_another_configuration) {
  stream({"one", "two", "three"}).before = [this](std::size_t i) {
    if (i == 1) host->replace_view(std::make_shared<runtime>());
  };
  const auto view = host->current();
  open();
  EXPECT_TRUE(answer().ends_with(
      std::string{one_and_two}.append(end)));  // its reader reconnects and continues
  EXPECT_TRUE(events->ended);
  host->replace_view(view);
}

// Its thread looks at the keys of open streams as at those of all calls.
class a_key_of_a_stream : public an_event_stream {
 protected:
  void stream_while(std::function<void()> happens) {
    stream({"one"}, true);
    open();
    happens();
    for (int i = 0; i < 8; ++i) {
      pass(250ms);
      if (!serving) break;
      const auto* key = call->admitted_by();
      ASSERT_NE(key, nullptr);
      const auto is = host->keys().watch(*key, now);
      if (is == key_cache::standing::revoked) call->lost_access(is);
      run();
    }
  }
};

TEST_F(a_key_of_a_stream, ends_it_when_it_is_revoked) {
  stream_while([this] { tests::run_task(store.revoke_key("acme", "key_acme")); });
  EXPECT_TRUE(answer().ends_with("\r\n\r\n3\r\none\r\n0\r\n\r\n"));
  EXPECT_FALSE(serving);
}

TEST_F(a_key_of_a_stream, is_looked_up_again) {
  stream_while([] {});
  EXPECT_TRUE(answer().ends_with("3\r\none\r\n"));
  EXPECT_TRUE(serving);
}

TEST_F(a_key_of_a_stream, is_believed_while_nobody_can_tell) {
  stream_while([this] { store.reachable = false; });
  EXPECT_TRUE(answer().ends_with("3\r\none\r\n"));
  EXPECT_TRUE(serving);
}

class a_drain_of_streams : public an_event_stream {};

TEST_F(a_drain_of_streams, ends_the_connection_behind_the_last_event) {
  stream({"one", "two"}).before = [this](std::size_t i) {
    if (i == 1) host->is_draining = true;
  };
  open();
  EXPECT_TRUE(answer().ends_with(std::string{one_and_two}.append(end)));
  EXPECT_TRUE(pipe->shut_down());
  EXPECT_TRUE(pipe->closed());
}

TEST_F(a_drain_of_streams, does_not_wait_for_a_client_that_does_not_read) {
  stream({"one"}, true);
  open();
  pass(1s);
  EXPECT_FALSE(pipe->closed());
  host->is_draining = true;
  pass(1s);
  EXPECT_TRUE(pipe->closed());
  EXPECT_TRUE(events->ended);
  EXPECT_FALSE(serving);
}

}  // namespace
}  // namespace tollgate::proxy
