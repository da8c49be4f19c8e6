// The admin API over a ledger in memory: calls, and helpers to read the answers.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "proxy/admin/admin_api.hpp"
#include "proxy/text/json.hpp"
#include "proxy/text/text.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/memory_webhooks.hpp"
#include "tests/support/run_task.hpp"

namespace tollgate::proxy::admin {

// The value at a path of names ("error/code"), as text; "absent" if there is none.
inline std::string at(const api_response& response, std::string_view path) {
  const auto body = read_json(response.body);
  const json_value* value = body ? &*body : nullptr;
  while (value != nullptr && !path.empty()) {
    const auto name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    value = value->is(json_value::kind::array)
                ? &value->elements.at(static_cast<std::size_t>(std::stoi(std::string{name})))
                : value->find(name);
  }
  if (value == nullptr) return "absent";
  if (value->is(json_value::kind::array))
    return std::to_string(value->elements.size()) + " elements";
  return value->text.empty() ? std::string{value->describe()} : value->text;
}

inline std::string header(const api_response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "absent";
}

class api_test : public testing::Test {
 protected:
  api_test() {
    auto& values = configuration_->values;
    values.admin.token = "correct horse";
    values.plans = {plan("starter", 20'000, 20'000, 1'000), plan("pro", 200'000, 10'000, 2'500)};
    values.plans.back().terms.rollover_percent = 100;
    values.plans.back().terms.rollover_cycles = 1;
    values.plans.push_back({.name = "free", .terms = {.plan = "free", .allocation = {}}});
    values.plans.push_back(
        {.name = "enterprise", .terms = {.plan = "enterprise", .allocation = {}}, .custom = true});
    store_.time = *parse_time("2026-03-15T10:20:30.250Z");
    webhook_dispatcher_.use(std::make_shared<webhooks::sender>(values.webhooks));
  }

  static config::plan_settings plan(std::string name, std::int64_t credits, std::int64_t usd_micro,
                                    std::int64_t minimum_cents) {
    config::plan_settings out;
    out.name = out.terms.plan = std::move(name);
    out.terms.allocation = quota::credits::from_whole(credits);
    out.terms.usd_micro_per_credit = usd_micro;
    out.terms.top_up_minimum_cents = minimum_cents;
    return out;
  }

  api_response call(std::string method, std::string target, std::string body = {},
                    std::string idempotency_key = {}) {
    const auto question = std::min(target.find('?'), target.size());
    api_request request;
    request.method = std::move(method);
    request.path = "/admin/v1/" + target.substr(0, question);
    request.query = target.substr(std::min(question + 1, target.size()));
    request.request_id = "r1";
    request.accept = accept_;
    request.content_type = content_type_;
    request.body = std::move(body);
    if (!idempotency_key.empty()) request.idempotency_key = std::move(idempotency_key);
    return tests::run_task(api_.handle(std::move(request)));
  }

  void create(const std::string& org) { ASSERT_EQ(call("PUT", "orgs/" + org, "{}").status, 201); }

  // A call of that many credits, from hold to settlement.
  void charge(const std::string& org, quota::credits amount) {
    auto& account = store_.account(org);
    const auto id = quota::hold_id::make(store_.time, 7, ++calls_);
    quota::reserve hold;
    hold.id = id;
    hold.amount = amount;
    hold.timeout = std::chrono::minutes{1};
    hold.admit = quota::admission::owed;
    account.apply(hold, store_.time);
    account.apply(quota::settle{id, amount}, store_.time);
    quota::usage_counter counter;
    counter.hour = store_.time.time_since_epoch() / std::chrono::hours{1};
    counter.who.action = "llm";
    counter.who.model = "gpt-4";
    counter.charged = amount;
    counter.calls = counter.used = 1;
    store_.add_usage(org, counter);
  }

  std::uint64_t calls_ = 0;
  std::string accept_, content_type_ = "application/json";
  std::shared_ptr<config::configuration> configuration_ = std::make_shared<config::configuration>();
  tests::memory_store store_;
  tests::memory_webhooks webhooks_{store_};
  metrics::webhook_metrics counts_;
  asio::io_context control_;
  webhooks::webhook_dispatcher webhook_dispatcher_{control_, store_, store_, webhooks_, counts_};
  admin_api api_{
      {store_, store_, store_, webhooks_, webhook_dispatcher_, [this] { return configuration_; }}};
};

}  // namespace tollgate::proxy::admin
