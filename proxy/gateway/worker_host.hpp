// The worker's interface for its exchanges.
#pragma once

#include "proxy/account/billing_api.hpp"
#include "proxy/gateway/exchange/host.hpp"
#include "proxy/gateway/worker.hpp"

namespace tollgate::proxy {

class worker_host final : public exchange_host {
 public:
  explicit worker_host(worker& of) : worker_{of} {}

  deadline_list& deadlines() override { return worker_.deadlines(); }
  quota::id_source& ids() override { return *worker_.world().ids; }
  key_cache& keys() override { return worker_.keys(); }
  settlement& charges() override { return worker_.charges(); }
  std::shared_ptr<runtime> current() const override { return worker_.current(); }
  bool draining() const override { return worker_.draining(); }

  task<admin::api_response> answer_billing(const quota::org_id& org, admin::api_request question,
                                           std::shared_ptr<runtime> view) override {
    const auto& world = worker_.world();
    const auto& rules = view->settings().billing;
    const auto now = std::chrono::steady_clock::now();
    if (const auto refused = world.billing->begin(org, rules, now)) {
      co_return admin::failure(*refused, question.request_id);
    }
    const std::unique_ptr<void, std::function<void(void*)>> ends{
        &worker_, [limits = world.billing, org](void*) { limits->end(org); }};
    admin::billing_api billing{world.ledger(), world.history(), [view] { return view->config; },
                               &worker_.events()};
    co_return co_await billing.handle(org, std::move(question));
  }
  task<admin::api_response> take_payment_event(payments::event_delivery event) override {
    return worker_.payment_events()(std::move(event));
  }

  task<bool> run_aside(const quota::org_id& org, std::function<void()> work) override {
    return worker_.world().background->run(org, std::move(work));
  }

  void exchange_started() override { worker_.exchange_started(); }
  void exchange_finished(const exchange_record& record, const runtime& view) override {
    worker_.exchange_finished(record, view);
  }

 private:
  worker& worker_;
};

}  // namespace tollgate::proxy
