#include "proxy/webhooks/webhook_dispatcher.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "tests/support/memory_webhooks.hpp"

namespace tollgate::proxy::webhooks {
namespace {

using namespace quota::literals;
using namespace std::chrono_literals;

// One organization with one endpoint, at which nothing listens:
// tests/integration/test_webhook_failures.py covers deliveries.
class webhook_dispatcher_test : public testing::Test {
 protected:
  webhook_dispatcher_test() {
    ledger.time = quota::time_point{quota::milliseconds{1'767'268'800'000}};
    quota::configure plan;
    plan.terms.plan = "starter";
    plan.terms.allocation = 20'000_credits;
    plan.terms.usd_micro_per_credit = 20'000;
    const quota::operation configure = plan;
    finish(ledger.apply(acme, configure));
    add({"account.top_up_requested"});
    settings.allow_http = settings.allow_private = true;
    subject.use(std::make_shared<sender>(settings));
    ledger.on_event([this](const quota::org_id& org) { subject.visit(org); });
  }

  void add(std::vector<std::string> events, std::string id = "we_1") {
    quota::webhook_endpoint endpoint;
    endpoint.id = std::move(id);
    endpoint.url = "http://127.0.0.1:9/";
    endpoint.events = std::move(events);
    finish(store.add(acme, endpoint, "secret"));
  }

  // Runs a coroutine on the webhook_dispatcher's context, and everything that follows from it.
  template <class T>
  void finish(task<T> work) {
    asio::co_spawn(context, std::move(work), asio::detached);
    run();
  }
  void run() {
    context.restart();
    context.run();
  }
  void visit() {
    subject.visit(acme);
    run();
  }

  // Visits whenever an attempt is due, until that many events have been given up.
  void pass_until_dead(std::size_t letters) {
    for (int times = 0; store.letters(acme, "we_1").size() < letters; ++times) {
      ASSERT_LT(times, 50);
      ledger.time = std::max(ledger.time, endpoint().next_at);
      visit();
    }
  }

  void buy(std::string id) {
    const quota::operation pack = quota::request_top_up{std::move(id), 1'000};
    finish(ledger.apply(acme, pack));
  }
  void decline(std::string id) {
    const quota::operation verdict =
        quota::resolve_top_up{std::move(id), quota::top_up_verdict::declined};
    finish(ledger.apply(acme, verdict));
  }
  std::string last_event() { return ledger.account(acme).events().back().id; }
  quota::webhook_endpoint& endpoint(const std::string& id = "we_1") {
    return store.endpoint(acme, id);
  }
  std::int64_t failures() {
    return counts.deliveries.read(static_cast<std::size_t>(verdict::failed));
  }

  const quota::org_id acme = "acme";
  config::webhook_settings settings;
  asio::io_context context;
  tests::memory_store ledger;
  tests::memory_webhooks store{ledger};
  metrics::webhook_metrics counts;
  // Chooses the position of each attempt in its interval.
  class chosen final : public quota::id_source {
   public:
    explicit chosen(const std::uint64_t& number) : number_{number} {}
    std::uint64_t random_bits() override { return number_; }

   private:
    const std::uint64_t& number_;
  };
  std::uint64_t chance = 0;
  webhook_dispatcher subject{context,
                             ledger,
                             ledger,
                             store,
                             counts,
                             webhook_dispatcher::places{},
                             std::make_unique<chosen>(chance)};
};

TEST_F(webhook_dispatcher_test, tries_at_once_and_then_at_the_events_own_times) {
  const auto created = ledger.time;
  const auto before = endpoint().cursor;
  buy("pack-1");
  EXPECT_EQ(endpoint().attempts, 1);
  EXPECT_EQ(endpoint().next_at, created + 5s);
  EXPECT_EQ(endpoint().last.status, 0);
  EXPECT_NE(endpoint().last.error, "");
  visit();
  EXPECT_EQ(failures(), 1);  // not due yet
  ledger.time = created + 5s;
  visit();
  EXPECT_EQ(failures(), 2);
  EXPECT_EQ(endpoint().next_at, created + 5min + 5s);
  ledger.time = created + 1h;
  visit();
  EXPECT_EQ(endpoint().next_at, created + 2h + 35min + 5s);
  EXPECT_EQ(endpoint().cursor, before);
}

TEST_F(webhook_dispatcher_test, spreads_attempts_by_chance) {
  chance = 123;
  const auto created = ledger.time;
  buy("pack-1");
  EXPECT_EQ(endpoint().next_at, created + 5s + 123ms);
  ledger.time = endpoint().next_at;
  chance = 30'000;
  visit();
  EXPECT_EQ(endpoint().next_at, created + 5min + 5s + 30s);
}

TEST_F(webhook_dispatcher_test, gives_up_after_the_last_attempt_and_goes_on) {
  buy("pack-1");
  buy("pack-2");
  pass_until_dead(1);
  const auto& letter = store.letters(acme, "we_1").front();
  EXPECT_NE(letter.body.find(R"("top_up":"pack-1")"), std::string::npos);
  EXPECT_EQ(letter.attempts, 10);
  EXPECT_EQ(counts.dead_letters.read(), 1);
  EXPECT_EQ(endpoint().cursor, letter.event);
  EXPECT_EQ(endpoint().attempts, 1);                // of the second event, when its turn had come
  EXPECT_EQ(endpoint().next_at, ledger.time + 5s);  // although it is late, it is tried once more
  pass_until_dead(2);
  EXPECT_EQ(store.letters(acme, "we_1").back().attempts, 2);
}

// No sidecar was running, or none could send: no event is given up because of that.
TEST_F(webhook_dispatcher_test, counts_from_when_it_could_try_at_all) {
  store.reachable = false;
  buy("pack-1");
  ledger.time += 200h;
  store.reachable = true;
  visit();
  EXPECT_EQ(endpoint().next_at, ledger.time + 5s);
  ledger.time += 200h;  // no sidecar runs, after some attempts
  visit();
  EXPECT_EQ(endpoint().attempts, 2);
  EXPECT_EQ(endpoint().next_at, ledger.time + 5s);

  const auto change = [&](const char* why) {
    quota::webhook_change to;
    to.disabled = why;
    finish(store.change(acme, "we_1", to));
  };
  ledger.time += 5s;
  change("because");
  ledger.time += 200h;
  change("");
  const auto enabled = ledger.time;
  visit();
  EXPECT_EQ(endpoint().next_at, enabled + 5s);
  ledger.time += 5s;
  visit();
  EXPECT_EQ(endpoint().next_at, enabled + 5min + 5s);
  EXPECT_TRUE(store.letters(acme, "we_1").empty());
}

TEST_F(webhook_dispatcher_test, signs_by_the_clock_of_the_store) {
  buy("pack-1");
  std::optional<quota::webhook_attempt> made;
  const auto send = [&]() -> task<> {
    auto what = sample_message(acme, "1", ledger.time);
    made = co_await subject.send_now(endpoint(), std::move(what));
  };
  finish(send());
  ASSERT_TRUE(made);
  EXPECT_EQ(made->at, ledger.time);
}

TEST_F(webhook_dispatcher_test, skips_what_nobody_asked_for) {
  buy("pack-1");
  decline("pack-1");
  pass_until_dead(1);
  EXPECT_EQ(endpoint().cursor, last_event());
  EXPECT_EQ(failures(), 10);  // for the first event alone
  EXPECT_EQ(endpoint().leased_until, quota::time_point{});
}

TEST_F(webhook_dispatcher_test, keeps_endpoints_apart) {
  add({"account.top_up_failed"}, "we_2");
  buy("pack-1");
  EXPECT_EQ(endpoint("we_1").attempts, 1);
  EXPECT_EQ(endpoint("we_2").attempts, 0);
  EXPECT_EQ(endpoint("we_2").cursor, last_event());
}

TEST_F(webhook_dispatcher_test, sends_nothing_to_who_is_disabled_or_leased_by_another) {
  endpoint().disabled = "because";
  buy("pack-1");
  EXPECT_EQ(failures(), 0);
  endpoint().disabled = "";
  endpoint().leased_until = ledger.time + 10s;
  visit();
  EXPECT_EQ(failures(), 0);
  ledger.time += 10s;
  visit();
  EXPECT_EQ(failures(), 1);
}

TEST_F(webhook_dispatcher_test, says_again_what_became_of_an_event_until_it_is_heard) {
  store.answers_lost = 3;
  buy("pack-1");
  EXPECT_EQ(store.answers_lost, 0);
  EXPECT_EQ(endpoint().attempts, 1);
  EXPECT_EQ(failures(), 1);
}

TEST_F(webhook_dispatcher_test, comes_by_again_where_the_store_was_away) {
  store.reachable = false;
  buy("pack-1");
  EXPECT_EQ(failures(), 0);
  store.reachable = true;
  visit();
  EXPECT_EQ(failures(), 1);
}

TEST_F(webhook_dispatcher_test, after_stop_nothing_is_sent) {
  subject.stop();
  buy("pack-1");
  EXPECT_EQ(failures(), 0);
}

// Accepts deliveries, one connection after the other, and answers each after `pause`.
class slow_receiver {
 public:
  slow_receiver(asio::io_context& context, quota::milliseconds pause)
      : acceptor_{context, {asio::ip::address_v4::loopback(), 0}}, pause_{pause} {}

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/" + path;
  }
  const std::vector<std::string>& paths() const { return paths_; }

  // The first `slow` deliveries are slow.
  task<> take(std::size_t slow, std::size_t deliveries) {
    while (paths_.size() < deliveries) {
      auto socket = co_await acceptor_.async_accept(use_task);
      std::string head;
      co_await asio::async_read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n", use_task);
      const auto path = head.find('/') + 1;
      paths_.push_back(head.substr(path, head.find(' ', path) - path));
      timer wait{co_await asio::this_coro::executor};
      wait.expires_after(paths_.size() <= slow ? pause_ : quota::milliseconds{0});
      co_await wait.async_wait(use_task);
      co_await asio::async_write(socket, asio::buffer(answer), use_task);
    }
  }

 private:
  using timer =
      asio::basic_waitable_timer<std::chrono::steady_clock,
                                 asio::wait_traits<std::chrono::steady_clock>, io_executor>;
  static constexpr std::string_view answer = "HTTP/1.1 204 No Content\r\n\r\n";
  asio::basic_socket_acceptor<asio::ip::tcp, io_executor> acceptor_;
  const quota::milliseconds pause_;
  std::vector<std::string> paths_;
};

TEST_F(webhook_dispatcher_test, whoever_is_slow_lets_the_others_pass) {
  slow_receiver receiver{context, 1'100ms};
  add({"*"}, "we_2");
  for (const char* id : {"we_1", "we_2"}) {
    endpoint(id).url = receiver.url(id);
    endpoint(id).disabled = "until there are events";
  }
  for (const char* id : {"pack-1", "pack-2", "pack-3"}) buy(id);
  for (const char* id : {"we_1", "we_2"}) endpoint(id).disabled = "";

  settings.timeout =
      2s;  // for an attempt and for a turn: two slow ones, however busy the machine is
  webhook_dispatcher one_place{context, ledger, ledger, store, counts, {1, 1}};
  one_place.use(std::make_shared<sender>(settings));
  asio::co_spawn(context, receiver.take(4, 6), asio::detached);
  one_place.visit(acme);
  run();
  // A turn ends with the attempt during which its time ends, which is the second one.
  EXPECT_EQ(receiver.paths(),
            (std::vector<std::string>{"we_1", "we_1", "we_2", "we_2", "we_1", "we_2"}));
}

}  // namespace
}  // namespace tollgate::proxy::webhooks
