// A thread of the data plane from its start to its end.
#include "proxy/gateway/worker.hpp"

#include <filesystem>
#include <future>

#include <boost/asio/read_until.hpp>
#include <unistd.h>

#include "config/setting_error.hpp"
#include "proxy/gateway/journal/replay.hpp"
#include "tests/support/certificate.hpp"
#include "tests/unit/proxy/gateway/worker_fixture.hpp"

namespace tollgate::proxy {
namespace {

const std::string quiet = "threads: 1\nlog: { access: off }\n";

class a_worker : public worker_fixture {};

// --- with open sessions ------------------------------------------------------------------------

const std::string key = "Host: a\r\nAuthorization: Bearer tg_live_acme\r\n";

struct open_session_case {
  std::string name, request, answer;  // sent by the client and by the upstream
};
void PrintTo(const open_session_case& each, std::ostream* out) {
  *out << each.name;
}
class sessions_left_open : public worker_fixture,
                           public testing::WithParamInterface<open_session_case> {};

// Coroutines that wait in the worker's loop end with it, and release what they hold.
TEST_P(sessions_left_open, end_with_their_worker) {
  open(test_configuration + "store: { url: \"redis://127.0.0.1:9\", wait: 1m }\n" + quiet);
  const auto up = upstreams->expect();
  const auto client = ask(GetParam().request);
  up->send(GetParam().answer);
  run();
  EXPECT_EQ(work->sessions().connections(), 1);
  work.reset();
  EXPECT_TRUE(client->closed());
  EXPECT_TRUE(clients.front().expired());
  EXPECT_EQ(account().held, 0_credits);
}

const std::string upgrade = "Upgrade: websocket\r\nConnection: upgrade\r\n";
INSTANTIATE_TEST_SUITE_P(
    all, sessions_left_open,
    testing::Values(
        open_session_case{"idle", "", ""}, open_session_case{"in_a_head", "GET / HT", ""},
        open_session_case{"between_requests", get("/nowhere"), ""},
        open_session_case{"after_a_bad_head", "hello\r\n\r\n", ""},
        open_session_case{"waiting_for_the_upstream", chat(), ""},
        open_session_case{"in_the_answer", chat(),
                          "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"},
        open_session_case{"in_an_upload",
                          "POST /v1/agents/a/x HTTP/1.1\r\n" + key + "Content-Length: 9\r\n\r\nabc",
                          ""},
        open_session_case{"in_an_upload_that_is_answered",
                          "POST /v1/agents/a/x HTTP/1.1\r\n" + key + "Content-Length: 9\r\n\r\nabc",
                          "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"},
        open_session_case{
            "in_a_body_that_prices_the_call",
            "POST /v1/chat/completions HTTP/1.1\r\n" + key + "Content-Length: 9\r\n\r\n{", ""},
        open_session_case{"in_a_tunnel", get("/ws", upgrade),
                          "HTTP/1.1 101 Switching Protocols\r\n" + upgrade + "\r\n"},
        open_session_case{"in_a_stream_of_events", get("/v1/billing/events"), ""}),
    [](const auto& each) { return each.param.name; });

TEST_F(a_worker, ends_with_a_session_that_waits_for_the_store) {
  open(test_configuration + "store: { url: \"redis://127.0.0.1:9\", wait: 1m }\n" + quiet);
  world.accounts.reachable = false;
  const auto client = ask(chat());
  EXPECT_EQ(client->received(), "");
  work.reset();
  EXPECT_TRUE(client->closed());
  EXPECT_TRUE(clients.front().expired());
}

// --- its own answers ---------------------------------------------------------------------------

TEST_F(a_worker, answers_about_billing) {
  const auto client = ask(get("/v1/billing/balance"));
  EXPECT_TRUE(client->received().starts_with("HTTP/1.1 200")) << client->received();
  EXPECT_NE(client->received().find("\"available\":100"), std::string::npos) << client->received();
}

TEST_F(a_worker, gives_the_events_of_payments_to_whoever_takes_them) {
  open(test_configuration + "payments: { stripe: { secret_key: sk, webhook_secret: whsec_x } }\n" +
       quiet);
  work->take_payment_events([](payments::event_delivery event) -> task<admin::api_response> {
    admin::api_response answer;
    answer.body = "taken: " + event.body + " signed " + event.signature;
    co_return answer;
  });
  const auto client =
      ask("POST /payments/stripe HTTP/1.1\r\nHost: a\r\nStripe-Signature: t=1\r\n"
          "Content-Length: 2\r\n\r\n{}");
  EXPECT_TRUE(client->received().ends_with("taken: {} signed t=1")) << client->received();
}

// --- a reload ----------------------------------------------------------------------------------

TEST_F(a_worker, takes_over_another_configuration) {
  const auto before = ask(get("/nowhere"));
  EXPECT_TRUE(before->take().starts_with("HTTP/1.1 404"));
  auto yaml = test_configuration;
  yaml.replace(yaml.find("path: /ws"), 9, "path: /nowhere");
  work->reload(load_configuration(yaml + quiet), nullptr);
  run();
  upstreams->serve(*work->current(), work->deadlines());
  const auto up = upstreams->expect();
  before->send(get("/nowhere"));  // on a connection that is already open
  run();
  EXPECT_TRUE(up->received().starts_with("GET /nowhere"));
}

TEST_F(a_worker, goes_on_with_the_old_configuration_where_the_new_one_is_of_no_use) {
  const auto before = work->current();
  for (const std::string wrong :
       {"log: { access: /nowhere/at/all.log }\n", "log: { access: off }\n"}) {
    auto yaml = test_configuration;
    if (wrong.find("off") != std::string::npos) {
      const std::string url = "url: \"http://127.0.0.1:9\"";
      yaml.replace(yaml.find(url), url.size(),
                   "url: \"https://127.0.0.1:9\", ca_file: /nowhere.pem");
    }
    work->reload(load_configuration(yaml + wrong), nullptr);
    run();
    EXPECT_EQ(work->current(), before) << wrong;
  }
}

// --- its counts --------------------------------------------------------------------------------

struct counted_case {
  std::string name;
  exchange_record::money_of_call money;
  std::int64_t held, settled, released, voided, extended;
};
void PrintTo(const counted_case& each, std::ostream* out) {
  *out << each.name;
}
class counted_calls : public worker_fixture, public testing::WithParamInterface<counted_case> {};

exchange_record::money_of_call money(bool settles, std::int64_t estimate, std::int64_t extended,
                                     std::int64_t charged) {
  exchange_record::money_of_call out;
  out.held = true;
  out.settles = settles;
  out.estimate = quota::credits::from_micro(estimate);
  out.extended = quota::credits::from_micro(extended);
  out.charged = quota::credits::from_micro(charged);
  return out;
}

TEST_P(counted_calls, by_what_became_of_their_hold) {
  exchange_record record;
  record.route = 0;
  record.status = 200;
  record.money = GetParam().money;
  record.upstream_status = 200;
  record.took.upstream_us = 5;
  work->exchange_started();
  work->exchange_finished(record, *work->current());
  auto& route = *work->current()->metrics.routes[0];
  EXPECT_EQ(route.credits->held_micro.read(), GetParam().held);
  EXPECT_EQ(route.credits->settled_micro.read(), GetParam().settled);
  EXPECT_EQ(route.credits->released_micro.read(), GetParam().released);
  EXPECT_EQ(route.credits->voided_micro.read(), GetParam().voided);
  EXPECT_EQ(route.credits->extended_micro.read(), GetParam().extended);
  EXPECT_EQ(route.request(200, quota::stream_end::not_sent).read(), 1);
  EXPECT_EQ(work->current()->metrics.upstreams[0]->response_head.bucket(0), 1);
}

INSTANTIATE_TEST_SUITE_P(
    all, counted_calls,
    testing::Values(counted_case{"never_held", {}, 0, 0, 0, 0, 0},
                    counted_case{"settled", money(true, 10, 0, 10), 10, 10, 0, 0, 0},
                    counted_case{"settled_for_less", money(true, 10, 5, 12), 10, 12, 3, 0, 5},
                    counted_case{"settled_for_more", money(true, 10, 0, 12), 10, 12, 0, 0, 0},
                    counted_case{"voided", money(false, 10, 5, 0), 10, 0, 0, 15, 5}),
    [](const auto& each) { return each.param.name; });

TEST_F(a_worker, counts_what_went_beyond_the_balance_or_could_not_be_measured) {
  exchange_record record;
  record.route = 1;
  record.money.held = record.money.beyond_balance = record.money.unmeasurable = true;
  record.refusal = routes::problem_code::insufficient_credits;
  work->exchange_started();
  work->exchange_finished(record, *work->current());
  auto& route = *work->current()->metrics.routes[1];
  EXPECT_EQ(route.beyond_balance.read(), 1);
  EXPECT_EQ(route.unmeasurable_audio.read(), 1);
  EXPECT_EQ(route.refusals[routes::problem_code::insufficient_credits].read(), 1);
}

// --- on a thread of its own --------------------------------------------------------------------

// A peer over the loopback interface. If bytes do not arrive in time, the test fails instead of
// waiting.
using peer = asio::ip::tcp::iostream;

std::string read_until(peer& from, const std::string& end) {
  std::string got;
  for (char c = 0; !got.ends_with(end) && from.get(c);) got += c;
  return got;
}

class a_started_worker : public worker_fixture {
 protected:
  // Its upstream listens; the pools connect to it as in production.
  void start(const std::string& more = quiet, std::shared_ptr<asio::ssl::context> tls = nullptr) {
    auto yaml = test_configuration;
    const std::string port = ":9\"";
    yaml.replace(yaml.find(port), port.size(),
                 ":" + std::to_string(upstream.local_endpoint().port()) + "\"");
    open(yaml + more, std::move(tls));
    for (const auto& pool : work->current()->pools) pool->connect_by({});
    prepare();
    work->start();
  }
  virtual void prepare() {}
  void connect(peer& client) {
    client.expires_after(20s);
    client.connect(work->local_endpoint());
  }
  void end() {
    work->drain();
    work->join();
  }
  // The worker connects to its upstream.
  void accept(peer& up) {
    error_code ec = asio::error::timed_out;
    upstream.async_accept(up.socket(), [&](error_code accepted) { ec = accepted; });
    elsewhere.restart();
    elsewhere.run_for(20s);
    ASSERT_FALSE(ec);
    up.expires_after(20s);
  }
  // One call from beginning to end.
  std::string call(peer& client, peer& up) {
    client << chat() << std::flush;
    if (!up.socket().is_open()) accept(up);
    read_until(up, "\r\n\r\n{\"model\":\"gpt-4o\",\"messages\":[]}");
    up << ok("hello") << std::flush;
    return read_until(client, "hello");
  }

  asio::io_context elsewhere;
  asio::ip::tcp::acceptor upstream{elsewhere, loopback()};
};

TEST_F(a_started_worker, serves_until_it_is_drained) {
  start();
  const auto address = work->local_endpoint();
  peer client, up;
  connect(client);
  EXPECT_TRUE(call(client, up).starts_with("HTTP/1.1 200 OK"));
  EXPECT_TRUE(call(client, up).starts_with("HTTP/1.1 200 OK"));  // over the same connections
  end();
  EXPECT_EQ(client.get(), EOF);
  EXPECT_EQ(account().settled, 20_credits);
  EXPECT_EQ(counts.connections_total.read(), 1);
  EXPECT_EQ(counts.connections.read(), 0);
  EXPECT_EQ(counts.in_flight.read(), 0);
  EXPECT_EQ(counts.store.connects.read(), 1);
  EXPECT_EQ(counts.store.ready.read(), 1);
  EXPECT_EQ(work->current()->metrics.upstreams[0]->idle.read(), 1);
  peer late;
  late.expires_after(1s);
  late.connect(address);
  EXPECT_FALSE(late);
}

TEST_F(a_started_worker, ends_at_once_when_it_is_stopped) {
  start();
  peer client;
  connect(client);
  client << "GET / HT" << std::flush;
  work->stop();
  work->join();
  work.reset();
  EXPECT_EQ(client.get(), EOF);
}

TEST_F(a_started_worker, ends_sessions_that_a_drain_leaves_open_when_it_is_cut) {
  start();
  peer client, up;
  connect(client);
  client << chat() << std::flush;
  accept(up);
  read_until(up, "\r\n\r\n");
  work->drain();
  work->cut();
  work->join();
  EXPECT_EQ(client.get(), EOF);
  EXPECT_EQ(account().settled, 10_credits);
}

// The client's call is forwarded and waits for its answer.
TEST_F(a_started_worker, turns_connections_away_when_all_are_in_use) {
  start("limits: { connections: 1 }\n" + quiet);
  peer first, second, up;
  connect(first);
  first << chat() << std::flush;
  accept(up);
  read_until(up, "\r\n\r\n");
  connect(second);
  EXPECT_TRUE(read_until(second, "\r\n").starts_with("HTTP/1.1 503"));
  up << ok("hello") << std::flush;
  EXPECT_TRUE(read_until(first, "hello").starts_with("HTTP/1.1 200"));
  end();
  EXPECT_EQ(counts.connections_total.read(), 1);
}

// Those that wait are closed for new ones: first the oldest whose client has shown no key.
TEST_F(a_started_worker, closes_connections_that_wait_for_new_ones) {
  start("limits: { connections: 2 }\n" + quiet);
  peer customer, up, silent, slow, next;
  connect(customer);
  EXPECT_TRUE(call(customer, up).starts_with("HTTP/1.1 200 OK"));
  connect(silent);
  connect(slow);  // in place of the silent one
  EXPECT_EQ(silent.get(), EOF);
  slow << "GET / HTTP/1.1\r\nHost: x\r\n" << std::flush;
  connect(next);  // in place of the one whose head does not end
  EXPECT_EQ(slow.get(), EOF);
  EXPECT_TRUE(call(customer, up).starts_with("HTTP/1.1 200 OK"));
  next << get("/nowhere") << std::flush;
  EXPECT_TRUE(read_until(next, "\r\n").starts_with("HTTP/1.1 404"));
  end();
  EXPECT_EQ(counts.connections_total.read(), 4);
}

class a_worker_with_a_journal : public a_started_worker {
 protected:
  a_worker_with_a_journal() {
    char name[] = "/tmp/tollgate-worker-XXXXXX";
    settings.directory = mkdtemp(name);
    keeper = std::make_unique<journal::keeper>(settings, 1);
  }
  ~a_worker_with_a_journal() override {
    work.reset();
    keeper.reset();
    std::filesystem::remove_all(settings.directory);
  }
  void prepare() override { work->keep_journal(*keeper, 0); }
  std::size_t unsettled() const {
    return journal::read_journal(journal::segments_in(settings.directory)).charges.size();
  }

  config::journal_settings settings;
  std::unique_ptr<journal::keeper> keeper;
};

TEST_F(a_worker_with_a_journal, has_in_it_what_is_not_settled) {
  start();
  peer client, up;
  connect(client);
  client << chat() << std::flush;
  accept(up);
  read_until(up, "\r\n\r\n");
  EXPECT_EQ(unsettled(), 1U);
  up << ok("hello") << std::flush;
  read_until(client, "hello");
  end();
  EXPECT_EQ(unsettled(), 0U);
}

class a_worker_that_sweeps : public a_started_worker {
 protected:
  void prepare() override {
    work->sweep_accounts([this](const quota::org_id& org) {
      if (!std::exchange(is_asked, true)) asked.set_value(org);
    });
  }
  std::promise<quota::org_id> asked;
  bool is_asked = false;
};

TEST_F(a_worker_that_sweeps, asks_for_top_ups_that_nobody_delivers) {
  need_top_up(world.accounts, "acme");
  start(
      "holds: { sweep_every: 100ms }\n"
      "payments: { webhook: { url: \"http://127.0.0.1:1/pay\", secret: s } }\n" +
      quiet);
  auto org = asked.get_future();
  ASSERT_EQ(org.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(org.get(), "acme");
  end();
}

// --- TLS ---------------------------------------------------------------------------------------

struct protocols_case {
  std::string name, offered;  // by the client, each preceded by its length
  bool is_served;
};
void PrintTo(const protocols_case& each, std::ostream* out) {
  *out << each.name;
}
class a_worker_with_tls : public a_started_worker,
                          public testing::WithParamInterface<protocols_case> {
 protected:
  // The worker's answer; nothing if the handshake fails.
  std::string ask_over_tls(const std::string& protocols) {
    asio::ssl::context trusted{asio::ssl::context::tls_client};
    trusted.load_verify_file(certificate.file());
    asio::ssl::stream<asio::ip::tcp::socket> client{elsewhere, trusted};
    client.set_verify_mode(asio::ssl::verify_peer);
    if (!protocols.empty()) {
      SSL_set_alpn_protos(client.native_handle(),
                          reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
    }
    client.next_layer().connect(work->local_endpoint());
    error_code ec;
    client.handshake(asio::ssl::stream_base::client, ec);
    if (ec) return {};
    asio::write(client, asio::buffer(get("/nowhere")));
    std::string got;
    asio::read_until(client, asio::dynamic_buffer(got), "\r\n");
    return got;
  }

  tests::certificate certificate;
};

TEST_P(a_worker_with_tls, speaks_http_1_1_and_nothing_else) {
  start(quiet, make_server_tls({certificate.file(), certificate.key_file()}));
  const auto got = ask_over_tls(GetParam().offered);
  EXPECT_EQ(got.starts_with("HTTP/1.1 404"), GetParam().is_served) << got;
  end();
}

using a_worker_with_tls_and_a_plain_client = a_started_worker;

TEST_F(a_worker_with_tls_and_a_plain_client, is_told_so) {
  const tests::certificate certificate;
  start(quiet, make_server_tls({certificate.file(), certificate.key_file()}));
  peer client;
  connect(client);
  client << get("/nowhere") << std::flush;
  const auto got = read_until(client, "\"request_id\"");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 400 ")) << got;
  EXPECT_NE(got.find("The plain HTTP request was sent to HTTPS port."), std::string::npos) << got;
  end();
}

INSTANTIATE_TEST_SUITE_P(
    all, a_worker_with_tls,
    testing::Values(protocols_case{"where_nothing_is_offered", "", true},
                    protocols_case{"where_it_is_offered", "\x08http/1.1", true},
                    protocols_case{"beside_http_2", "\x02h2\x08http/1.1", true},
                    protocols_case{"where_only_http_2_is", "\x02h2", false}),
    [](const auto& each) { return each.param.name; });

TEST(a_certificate, that_cannot_be_used_is_an_error_that_names_its_file) {
  const tests::certificate good, other;
  for (const auto& [settings, text] :
       {std::pair{config::tls_settings{"/nowhere.pem", good.key_file()},
                  std::string{"tls.certificate: /nowhere.pem: "}},
        std::pair{config::tls_settings{good.file(), "/nowhere.pem"},
                  std::string{"tls.key: /nowhere.pem: "}},
        std::pair{config::tls_settings{good.file(), other.key_file()},
                  "tls.key: " + other.key_file() + ": "}}) {
    try {
      make_server_tls(settings);
      FAIL() << text;
    } catch (const config::setting_error& error) {
      const auto said = error.key + ": " + error.what();
      EXPECT_TRUE(said.starts_with(text)) << said;
    }
  }
}

}  // namespace
}  // namespace tollgate::proxy
