// The environment of an exchange without a socket: the ledger in memory, a client and an upstream
// that the test plays, and time that the test moves.
#pragma once

#include <functional>
#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "proxy/gateway/exchange/host.hpp"
#include "proxy/net/event_loop.hpp"
#include "tests/support/memory_pipe.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/unit/proxy/gateway/world.hpp"

namespace tollgate::proxy {

// Copies for the log: the views live only as long as the call.
struct finished_exchange {
  int status = 0;
  std::string code, end, org, path, route, agent, request_id;
  quota::credits charged, estimate, extended;
  bool held = false, settles = false;
  std::optional<std::int64_t> audio_us;
  std::uint64_t bytes_in = 0, bytes_out = 0;
};

class test_host final : public exchange_host {
 public:
  test_host(asio::io_context& context, tests::memory_store& store,
            std::shared_ptr<const config::configuration> configuration)
      : keys_{context.get_executor(), store},
        charges_{context.get_executor(), store},
        view_{make_runtime(context, deadlines_, std::move(configuration), nullptr, counts_)} {}

  deadline_list& deadlines() override { return deadlines_; }
  quota::id_source& ids() override { return ids_; }
  key_cache& keys() override { return keys_; }
  settlement& charges() override { return charges_; }
  std::shared_ptr<runtime> current() const override { return view_; }
  bool draining() const override { return is_draining; }
  task<admin::api_response> answer_billing(const quota::org_id& org, admin::api_request question,
                                           std::shared_ptr<runtime>) override {
    admin::api_response answer;
    if (!events) answer.body = org + " asked " + question.path + "?" + question.query;
    answer.source = events;
    co_return answer;
  }
  task<admin::api_response> take_payment_event(payments::event_delivery event) override {
    admin::api_response answer;
    answer.body = event.body + " signed " + event.signature;
    co_return answer;
  }
  task<bool> run_aside(const quota::org_id& org, std::function<void()> work) override {
    aside.push_back(org);
    if (!is_draining) work();
    co_return !is_draining;
  }
  void exchange_started() override { ++started; }
  void exchange_finished(const exchange_record& record, const runtime&) override {
    finished_exchange out;
    out.status = record.status;
    if (record.refusal) out.code = routes::to_string(*record.refusal);
    out.end = quota::to_string(record.end);
    out.org = record.who.org;
    out.path = record.path;
    out.route = record.who.route;
    out.agent = record.who.agent;
    out.request_id = record.request_id;
    out.charged = record.money.charged;
    out.estimate = record.money.estimate;
    out.extended = record.money.extended;
    out.held = record.money.held;
    out.settles = record.money.settles;
    out.audio_us = record.money.audio_us;
    out.bytes_in = record.bytes_in;
    out.bytes_out = record.bytes_out;
    finished.push_back(std::move(out));
  }
  void replace_view(std::shared_ptr<runtime> view) { view_ = std::move(view); }

  bool is_draining = false;
  int started = 0;
  std::vector<finished_exchange> finished;
  std::vector<quota::org_id> aside;  // whose work ran beside the loop
  std::shared_ptr<admin::body_source> events;

 private:
  deadline_list deadlines_{steady_time{}};
  quota::random_id_source ids_{1};
  key_cache keys_;
  settlement charges_;
  metrics::thread_metrics counts_;
  std::shared_ptr<runtime> view_;
};

class exchange_fixture : public testing::Test {
 protected:
  exchange_fixture() {
    store.time = quota::time_point{quota::milliseconds{1'767'268'800'000}};
    use(test_configuration);
    add_customer("acme", "tg_live_acme", 100_credits);
  }
  ~exchange_fixture() override { context.destroy_what_waits(); }

  void use(const std::string& yaml) {
    configuration = load_configuration(yaml);
    host = std::make_unique<test_host>(context, store, configuration);
  }

  void add_customer(const quota::org_id& org, const std::string& key, quota::credits credits) {
    proxy::add_customer(store, org, key, credits);
  }
  quota::credits available(const quota::org_id& org = "acme") {
    return store.account(org).row().available();
  }

  // Runs a coroutine to its end.
  template <class T>
  void wait_for(task<T> work) {
    bool done = false;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, auto&&...) {
      done = true;
      if (thrown) std::rethrow_exception(thrown);
    });
    run();
    EXPECT_TRUE(done);
  }
  // Runs until no handler is ready.
  void run() {
    context.restart();
    context.poll();
  }

  event_loop context;
  tests::memory_store store;
  std::shared_ptr<const config::configuration> configuration;
  std::unique_ptr<test_host> host;
};

}  // namespace tollgate::proxy
