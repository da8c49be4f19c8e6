// Calls written as conversations, and replayed with each of their steps failing in turn: every read
// and write of either connection, every new connection, every answer of the ledger. After each
// replay, no coroutine waits, and the charge has been resolved once: the ledger, the journal and
// the access log agree on it.
#include <algorithm>
#include <array>
#include <filesystem>

#include "proxy/gateway/journal/replay.hpp"
#include "tests/unit/proxy/gateway/exchange/conversation.hpp"
#include "tests/unit/proxy/gateway/exchange/few_events.hpp"
#include "tests/unit/proxy/gateway/exchange/wav.hpp"
#include "tests/unit/routes/meters/movies.hpp"

namespace tollgate::proxy {
namespace {

using tests::fault_plan;

class told_call : public conversation {
 public:
  told_call(fault_plan& faults, journal::keeper& keeper) {
    host->charges().use_journal(std::make_unique<journal::charges>(keeper, 0));
    store.faults = upstreams.faults = &faults;
    for (auto& each : ups) each = expect_connection();
  }
  void TestBody() override {}

  // --- steps ------------------------------------------------------------------------------------
  void client_sends(std::string bytes) { ask(std::move(bytes)); }
  void client_ends() { pipe->end(), run(); }
  void upstream_sends(std::string bytes, int which = 0) {
    ups[which]->send(std::move(bytes));
    run();
  }
  void upstream_ends() { ups[0]->end(), run(); }
  // Runs until the upstream has that much of the request, or the call has ended.
  void upstream_gets(std::size_t bytes) {
    comes([&] { return !host->finished.empty() || ups[0]->received().size() >= bytes; });
  }
  void holds_are_renewed() {
    host->charges().tick(steady_time{1h});
    run();
  }
  void account_tells(std::vector<std::string> events) {
    host->events = std::make_shared<few_events>(std::move(events));
  }

  // --- results ----------------------------------------------------------------------------------
  // According to the access log.
  quota::credits charged() const {
    quota::credits sum;
    for (const auto& each : host->finished) sum += each.charged;
    return sum;
  }
  void expect_all_is_well(const journal::keeper& keeper) {
    pipe->reset();
    run();
    EXPECT_TRUE(comes([&] { return !serving && host->charges().pending() == 0; }));
    EXPECT_FALSE(failed);
    EXPECT_EQ(host->started, static_cast<int>(host->finished.size()));

    const auto holds = std::ranges::count_if(host->finished, &finished_exchange::held);
    const auto& counted = host->charges().counted();
    EXPECT_EQ(counted.settled + counted.voided, static_cast<std::uint64_t>(holds));
    EXPECT_EQ(store.account("acme").row().held, 0_credits);
    EXPECT_EQ(store.account("acme").row().settled, charged());
    EXPECT_EQ(available(), 100_credits - charged());
    const auto left = journal::read_journal(journal::segments_in(keeper.settings().directory));
    EXPECT_TRUE(left.charges.empty());

    std::size_t open = 0;  // of the connections that were made
    for (const auto& each : ups) open += each.use_count() > 1 && !each->closed() ? 1 : 0;
    EXPECT_EQ(open, host->current()->pools.front()->idle() + upstreams.still_expected());
    EXPECT_EQ(client.use_count(), 1);
    EXPECT_EQ(spool_space::shared().taken(), 0U);
  }

 private:
  std::array<std::shared_ptr<tests::memory_pipe>, 2> ups;
};

struct told_case {
  std::string name;
  void (*tell)(told_call& it);
  quota::credits charged;  // if nothing fails
};
void PrintTo(const told_case& each, std::ostream* out) {
  *out << each.name;
}

class failing_at_every_step : public testing::TestWithParam<told_case> {
 protected:
  failing_at_every_step() {
    char name[] = "/tmp/tollgate-steps-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~failing_at_every_step() override { std::filesystem::remove_all(directory_); }

  // Returns the number of steps.
  int play(fault_plan faults) {
    config::journal_settings settings;
    settings.directory = directory_;
    settings.max_bytes = 2 * config::journal_settings::least_for_a_thread;
    journal::keeper keeper{settings, 1};
    told_call one{faults, keeper};
    GetParam().tell(one);
    one.expect_all_is_well(keeper);
    if (!faults.fails()) {
      EXPECT_EQ(one.charged(), GetParam().charged);
    }
    return faults.taken();
  }

 private:
  std::string directory_;
};

TEST_P(failing_at_every_step, resolves_its_charge_once_and_leaves_nobody_waiting) {
  const int steps = play({});
  EXPECT_GT(steps, 3);
  for (int step = 0; step < steps; ++step) {
    for (const auto when :
         {fault_plan::when::before_it_is_done, fault_plan::when::after_it_is_done}) {
      SCOPED_TRACE("step " + std::to_string(step) + " of " + std::to_string(steps) +
                   (when == fault_plan::when::after_it_is_done ? ", after it was done" : ""));
      play({step, when});
    }
  }
}

// --- the conversations -------------------------------------------------------------------------

std::string post(const std::string& path, const std::string& fields) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tg_live_acme\r\n" +
         fields + "\r\n";
}
std::string length(std::size_t n) {
  return "Content-Length: " + std::to_string(n) + "\r\n";
}
const std::string chunked = "Transfer-Encoding: chunked\r\n";
const std::string ok_chunked = "HTTP/1.1 200 OK\r\n" + chunked;

void is_answered(told_call& it) {
  it.client_sends(chat());
  it.upstream_sends(ok("hello"));
}

void is_answered_in_pieces(told_call& it) {
  it.client_sends(chat("TE: trailers\r\nConnection: TE\r\n"));
  it.upstream_sends("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok_chunked);
  it.upstream_sends("\r\n3\r\nabc\r\n");
  it.holds_are_renewed();
  it.upstream_sends("2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n");
}

void is_answered_by_events(told_call& it) {
  it.client_sends(chat());
  it.upstream_sends("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n");
  it.holds_are_renewed();
  it.upstream_sends("data: [DONE]\n\n");
  it.upstream_ends();
}

void is_refused_by_the_upstream(told_call& it) {
  it.client_sends(chat());
  it.upstream_sends("HTTP/1.1 500 No\r\n" + length(2) + "\r\nno");
}

// Two calls over one connection; if that dies, the second is sent again over another one.
void shares_a_connection(told_call& it) {
  it.client_sends(get("/v1/agents/a/x"));
  it.upstream_sends(ok("one"));
  it.client_sends(get("/v1/agents/a/y"));
  it.upstream_sends(ok("two"));
  it.upstream_sends(ok("two"), 1);
}

void is_half_closed_by_its_client(told_call& it) {
  it.client_sends(chat());
  it.client_ends();
  it.upstream_sends(ok("hello"));
}

void is_uploaded_in_pieces(told_call& it) {
  it.client_sends(post("/v1/agents/a/files", "Expect: 100-continue\r\n" + length(6)));
  it.client_sends("abc");
  it.client_sends("def");
  it.upstream_sends(ok("done"));
}

void is_answered_before_it_is_uploaded(told_call& it) {
  it.client_sends(post("/v1/agents/a/files", chunked) + "3\r\nabc\r\n");
  it.upstream_sends(ok_chunked + "\r\n3\r\nabc\r\n");
  it.client_sends("3\r\ndef\r\n0\r\n\r\n");
  it.upstream_sends("0\r\n\r\n");
}

void is_a_short_recording(told_call& it) {
  const auto body = wav(3);
  it.client_sends(
      post("/v1/audio/transcriptions", "Content-Type: audio/wav\r\n" + length(body.size())) + body);
  it.upstream_sends(ok("words"));
}

void is_a_long_recording(told_call& it) {
  const auto body = wav(60);
  it.client_sends(
      post("/v1/audio/transcriptions", "Content-Type: audio/wav\r\n" + length(body.size())) +
      body.substr(0, 300'000));
  it.holds_are_renewed();
  it.client_sends(body.substr(300'000));
  it.upstream_gets(body.size());
  it.upstream_sends(ok("words"));
}

// Its index is at its end, so it is kept in a file, read again, and sent from the file.
void is_a_recording_that_is_kept(told_call& it) {
  const auto body = routes::meters::index_last(routes::meters::movie::of(1875, 1024, 150));
  it.client_sends(
      post("/v1/audio/transcriptions", "Content-Type: audio/mp4\r\n" + length(body.size())) +
      body.substr(0, 270'000));
  it.client_sends(body.substr(270'000));
  it.upstream_gets(body.size());
  it.upstream_sends(ok("words"));
}

void is_spoken(told_call& it) {
  const auto body = wav(5);
  it.client_sends(post("/v1/audio/speech", "TE: trailers\r\nConnection: TE\r\n" + length(2)) +
                  "hi");
  it.upstream_sends("HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n" + length(body.size()) +
                    "\r\n" + body.substr(0, 20'000));
  it.holds_are_renewed();
  it.upstream_sends(body.substr(20'000));
}

void becomes_a_tunnel(told_call& it) {
  const std::string upgrade = "Upgrade: websocket\r\nConnection: upgrade\r\n";
  it.client_sends(get("/ws", upgrade));
  it.upstream_sends("HTTP/1.1 101 Switching Protocols\r\n" + upgrade + "\r\nhi");
  it.client_sends("hello");
  it.upstream_sends("and good bye");
  it.upstream_ends();
}

void asks_for_events(told_call& it) {
  it.account_tells({"one", "", "two"});
  it.client_sends(get("/v1/billing/events"));
}

constexpr auto tenth = quota::credits::from_micro(100'000);
INSTANTIATE_TEST_SUITE_P(
    a_call, failing_at_every_step,
    testing::Values(told_case{"that_is_answered", is_answered, 10_credits},
                    told_case{"that_is_answered_in_pieces", is_answered_in_pieces, 10_credits},
                    told_case{"that_is_answered_by_events", is_answered_by_events, 10_credits},
                    told_case{"that_is_refused", is_refused_by_the_upstream, 0_credits},
                    told_case{"that_shares_a_connection", shares_a_connection, tenth + tenth},
                    told_case{"that_is_half_closed", is_half_closed_by_its_client, 10_credits},
                    told_case{"that_is_uploaded_in_pieces", is_uploaded_in_pieces, tenth},
                    told_case{"that_is_answered_early", is_answered_before_it_is_uploaded, tenth},
                    told_case{"that_is_a_short_recording", is_a_short_recording, 3_credits},
                    told_case{"that_is_a_long_recording", is_a_long_recording, 60_credits},
                    told_case{"that_is_kept_in_a_file", is_a_recording_that_is_kept, 40_credits},
                    told_case{"that_is_spoken", is_spoken, 5_credits},
                    told_case{"that_becomes_a_tunnel", becomes_a_tunnel, tenth},
                    told_case{"that_asks_for_events", asks_for_events, 0_credits}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace tollgate::proxy
