#include "proxy/payments/top_up_dispatcher.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "tests/support/memory_payments.hpp"
#include "tests/support/memory_store.hpp"

namespace tollgate::proxy::payments {
namespace {

using namespace quota::literals;

// One organization with a plan that sells credits. No endpoint is reached here;
// tests/integration/test_top_ups.py covers that part.
class top_up_dispatcher_test : public testing::Test {
 protected:
  top_up_dispatcher_test() {
    store.time = quota::time_point{quota::milliseconds{1'767'268'800'000}};
    quota::organization_change nothing;
    finish(store.change(acme, nothing));
    quota::configure plan;
    plan.terms.plan = "starter";
    plan.terms.allocation = 20'000_credits;
    plan.terms.usd_micro_per_credit = 20'000;
    const quota::operation configure = plan;
    finish(store.apply(acme, configure));
    store.on_top_up([this](const quota::org_id& org) {
      ++needs;
      postman.visit(org);
    });
  }

  // Runs a coroutine on the top_up_dispatcher's context, and everything that follows from it.
  template <class T>
  void finish(task<T> work) {
    asio::co_spawn(context, std::move(work), asio::detached);
    run();
  }
  void run() {
    context.restart();
    context.run();
  }

  void buy(std::string id) {
    const quota::operation pack = quota::request_top_up{std::move(id), 1'000};
    finish(store.apply(acme, pack));
  }
  quota::top_up_record top_up(std::size_t i = 0) { return store.account(acme).top_ups().at(i); }
  std::int64_t counted(quota::top_up_verdict verdict) {
    return counts.top_ups.read(static_cast<std::size_t>(verdict));
  }

  static std::shared_ptr<payment_endpoint> endpoint(config::payment_kind kind) {
    config::payment_settings settings;
    settings.kind = kind;
    settings.url = "http://127.0.0.1:9";
    return make_payment_endpoint(settings);
  }

  const quota::org_id acme = "acme";
  asio::io_context context;
  tests::memory_store store;
  metrics::payment_metrics counts;
  tests::memory_payments payments;
  top_up_dispatcher postman{context, store, store, payments, store, counts};
  int needs = 0;
};

TEST_F(top_up_dispatcher_test, without_an_endpoint_nothing_is_delivered) {
  postman.use(endpoint(config::payment_kind::none));
  buy("pack-1");
  EXPECT_EQ(needs, 1);
  EXPECT_EQ(top_up().status, quota::top_up_status::requested);
  EXPECT_EQ(top_up().attempts, 0);
}

TEST_F(top_up_dispatcher_test, after_stop_nothing_is_delivered) {
  postman.use(endpoint(config::payment_kind::stripe));
  postman.stop();
  buy("pack-1");
  EXPECT_EQ(top_up().status, quota::top_up_status::requested);
}

TEST_F(top_up_dispatcher_test, declines_what_cannot_be_asked_for) {
  postman.use(endpoint(config::payment_kind::stripe));  // and acme is not a customer of Stripe
  buy("pack-1");
  buy("pack-2");
  for (const std::size_t i : {0u, 1u}) {
    EXPECT_EQ(top_up(i).status, quota::top_up_status::declined);
    EXPECT_EQ(top_up(i).attempts, 0);
  }
  EXPECT_EQ(counted(quota::top_up_verdict::declined), 2);
}

// Only the endpoint can know whether it has been charged by then.
TEST_F(top_up_dispatcher_test, does_not_decline_what_was_asked_for_before) {
  buy("pack-1");
  const quota::operation lease =
      quota::lease_top_up{"pack-1", quota::milliseconds{std::chrono::seconds{15}}};
  finish(store.apply(acme, lease));
  postman.use(endpoint(config::payment_kind::stripe));
  store.time += std::chrono::minutes{1};
  postman.visit(acme);
  run();
  EXPECT_EQ(top_up().status, quota::top_up_status::requested);
  EXPECT_EQ(top_up().attempts, 2);
  EXPECT_EQ(counted(quota::top_up_verdict::failed), 1);
}

TEST_F(top_up_dispatcher_test, without_the_answer_to_its_lease_nothing_is_delivered) {
  buy("pack-1");
  postman.use(endpoint(config::payment_kind::webhook));
  store.calls_until_lost = 1;  // top_ups is answered, lease_top_up is not
  postman.visit(acme);
  run();
  EXPECT_EQ(top_up().attempts, 1);
  EXPECT_EQ(counted(quota::top_up_verdict::failed), 0);  // 1 if it had been sent
}

TEST_F(top_up_dispatcher_test, tells_the_ledger_until_it_confirms) {
  buy("pack-1");
  postman.use(endpoint(config::payment_kind::stripe));
  store.calls_until_lost = 1;  // top_ups is answered, resolve_top_up is not
  postman.visit(acme);
  run();
  EXPECT_EQ(top_up().status, quota::top_up_status::declined);
  EXPECT_EQ(store.calls_until_lost, -1);
}

TEST_F(top_up_dispatcher_test, comes_by_again_where_the_store_was_away) {
  postman.use(endpoint(config::payment_kind::stripe));
  buy("pack-1");
  store.reachable = false;
  postman.visit(acme);
  run();
  store.reachable = true;
  postman.visit(acme);
  run();
  EXPECT_EQ(top_up().status, quota::top_up_status::declined);
}

}  // namespace
}  // namespace tollgate::proxy::payments
