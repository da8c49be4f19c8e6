// Recordings whose index is at their end: their cost is unknown until they are complete, so they
// are kept in a file until then.
#include "tests/unit/proxy/gateway/exchange/conversation.hpp"
#include "tests/unit/routes/meters/movies.hpp"

namespace tollgate::proxy {
namespace {

// That many seconds, of about 10,000 bytes each.
std::string recording(std::uint32_t seconds) {
  const std::uint32_t samples = seconds * 48'000 / 1024;
  return routes::meters::index_last(routes::meters::movie::of(samples, 1024, 214));
}

class a_kept_upload : public conversation {
 protected:
  static std::string head(const std::string& fields, const std::string& key = "tg_live_acme") {
    return "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + key +
           "\r\nContent-Type: audio/mp4\r\n" + fields + "\r\n";
  }
  static std::string length(std::size_t n) {
    return "Content-Length: " + std::to_string(n) + "\r\n";
  }
  // Sends all of it in two pieces, and waits until it is forwarded or refused.
  void upload(const std::string& body) {
    begin(body);
    finish(body);
  }
  void begin(const std::string& body) { ask(head(length(body.size())) + body.substr(0, first)); }
  void finish(const std::string& body) {
    pipe->send(body.substr(first));
    EXPECT_TRUE(comes([&] { return is_over() || up->received().ends_with(body); }));
  }
  bool is_over() const { return !host->finished.empty(); }
  void expect_refusal(const std::string& status, const std::string& why) {
    EXPECT_TRUE(comes([&] { return is_over(); }));
    const auto got = answer();
    EXPECT_TRUE(got.starts_with("HTTP/1.1 " + status)) << got;
    EXPECT_NE(got.find(why), std::string::npos) << got;
    expect_nothing_left();
    EXPECT_EQ(available(), 100_credits);
  }
  void expect_nothing_left() {
    EXPECT_EQ(spool_space::shared().taken(), 0U);
    EXPECT_TRUE(all_is_settled());
    EXPECT_EQ(store.account("acme").row().held, 0_credits);
  }

  static constexpr std::size_t first = 300'000;  // more than is kept in memory
  const std::string forty = recording(40);
  std::shared_ptr<tests::memory_pipe> up = expect_connection();
};

TEST_F(a_kept_upload, is_held_whole_and_goes_up_from_its_file) {
  begin(forty);
  EXPECT_EQ(store.account("acme").row().held, 1_credits);
  EXPECT_EQ(spool_space::shared().taken(), first);
  EXPECT_EQ(up->received(), "");
  finish(forty);
  EXPECT_EQ(store.account("acme").row().held, 40_credits);
  EXPECT_EQ(spool_space::shared().taken(), 0U);  // the answer may take long
  up->send(ok("words"));
  run();
  EXPECT_TRUE(answer().ends_with("words"));
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 60_credits);
  EXPECT_EQ(last().audio_us, 40'000'000);
}

TEST_F(a_kept_upload, may_come_in_chunks) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", forty.size());
  ask(head("Transfer-Encoding: chunked\r\n") + size + forty.substr(0, first));
  pipe->send(forty.substr(first) + "\r\n0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_TRUE(comes([&] { return up->received().ends_with("0\r\nX-Sum: 1\r\n\r\n"); }));
  up->send(ok("words"));
  run();
  EXPECT_TRUE(all_is_settled());
  EXPECT_EQ(available(), 60_credits);
}

TEST_F(a_kept_upload, that_costs_more_than_there_is_never_goes_up) {
  upload(recording(200));
  EXPECT_EQ(up->received(), "");
  expect_refusal("402", "insufficient_credits");
}

TEST_F(a_kept_upload, of_a_customer_without_credits_is_not_even_kept) {
  add_customer("poor", "tg_live_poor", 0_credits);
  ask(head(length(forty.size()), "tg_live_poor") + forty.substr(0, first));
  EXPECT_EQ(spool_space::shared().taken(), 0U);
  expect_refusal("402", "insufficient_credits");
}

TEST_F(a_kept_upload, whose_client_leaves_is_forgotten) {
  begin(forty);
  pipe->reset();
  EXPECT_TRUE(comes([&] { return is_over(); }));
  EXPECT_EQ(up->received(), "");
  expect_nothing_left();
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(a_kept_upload, that_ends_early_is_refused) {
  begin(forty);
  pipe->end();
  expect_refusal("400", "The body ended too early.");
}

TEST_F(a_kept_upload, that_takes_too_long_is_refused) {
  begin(forty);
  std::size_t at = first;
  for (steady_time now{}; !is_over() && now < steady_time{1h}; now += 50s, at += 100) {
    pipe->send(forty.substr(at, 100));  // in time for each read, but not for the whole upload
    run();
    host->deadlines().tick(now);
    run();
  }
  expect_refusal("408", "The body took too long.");
}

TEST_F(a_kept_upload, is_given_up_when_the_ledger_is_away_at_its_end) {
  begin(forty);
  store.reachable = false;
  pipe->send(forty.substr(first));
  EXPECT_TRUE(comes([&] { return is_over(); }));
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 503"));
  EXPECT_EQ(up->received(), "");
  store.reachable = true;
  expect_nothing_left();
  EXPECT_EQ(available(), 100_credits);
}

TEST_F(a_kept_upload, whose_upstream_is_gone_costs_nothing) {
  up->reset();
  upload(forty);
  expect_refusal("502", "upstream_unreachable");
}

TEST_F(a_kept_upload, is_sent_again_by_nobody_when_its_upstream_leaves) {
  upload(forty);
  up->reset();
  expect_refusal("502", "upstream_unreachable");
}

// --- without room ------------------------------------------------------------------------------

struct no_room_case {
  std::string name, spool;
  std::string taken_by;  // an organization whose other uploads use all but 300,000 bytes
  std::string status, why;
};
void PrintTo(const no_room_case& each, std::ostream* out) {
  *out << each.name;
}
class no_room : public a_kept_upload, public testing::WithParamInterface<no_room_case> {
 protected:
  static constexpr std::uint64_t all = 1'024'000, left = 310'000;

  no_room() {
    use(test_configuration + "audio: { spool: " + GetParam().spool + " }\n");
    if (take_some()) {
      const spool_bounds none{{}, all, all, all};
      EXPECT_EQ(spool_space::shared().take(GetParam().taken_by, all - left, none),
                spool_outcome::kept);
    }
  }
  ~no_room() override { give_back(); }

  bool take_some() const { return !GetParam().taken_by.empty(); }
  void give_back() {
    if (take_some() && !std::exchange(given_back_, true))
      spool_space::shared().give_back(GetParam().taken_by, all - left);
  }

 private:
  bool given_back_ = false;
};

TEST_P(no_room, is_an_answer_and_costs_nothing) {
  begin(forty);
  if (!is_over()) pipe->send(forty.substr(first));
  EXPECT_TRUE(comes([&] { return is_over(); }));
  give_back();
  EXPECT_EQ(up->received(), "");
  expect_refusal(GetParam().status, GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(
    all, no_room,
    testing::Values(
        no_room_case{"for_one_so_large", "{ upload: 307200 }", "", "413",
                     "larger than the 307200 bytes that are kept"},
        no_room_case{"beside_those_of_others", "{ upload: 1000KiB, total: 1000KiB }", "other",
                     "503", "other uploads take all of audio.spool.total"},
        no_room_case{"beside_those_of_the_same", "{ upload: 1000KiB, total: 4000KiB }", "acme",
                     "503", "other uploads of this organization take its share"},
        no_room_case{"on_the_disk", "{ directory: /nowhere/at/all }", "", "503", "its disk"},
        no_room_case{"for_any", "{ upload: 0 }", "", "415", "cannot be counted"}),
    [](const auto& each) { return each.param.name; });

// If nothing may be refused, an upload that cannot be measured is charged by its size.
TEST_F(a_kept_upload, without_room_goes_on_where_its_route_estimates) {
  auto yaml = test_configuration;
  const std::string rate = "rate: stt }";
  yaml.replace(yaml.find(rate), rate.size(), "rate: stt, audio: { on_unmeasurable: estimate } }");
  use(yaml + "audio: { spool: { upload: 307200 } }\n");
  upload(forty);
  EXPECT_FALSE(is_over());
  EXPECT_TRUE(up->received().ends_with(forty));
  up->send(ok("words"));
  run();
  EXPECT_TRUE(answer().ends_with("words"));
  expect_nothing_left();
  EXPECT_LT(available(), 100_credits);
  EXPECT_EQ(last().charged, 100_credits - available());
}

}  // namespace
}  // namespace tollgate::proxy
