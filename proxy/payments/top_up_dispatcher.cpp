#include "proxy/payments/top_up_dispatcher.hpp"

#include <algorithm>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <spdlog/spdlog.h>

namespace tollgate::proxy::payments {

namespace {

using quota::outcome;
using quota::top_up_verdict;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

std::string describe(const payment_order& order) {
  return fmt::format("org={} top_up={} amount_usd={} credits={}", order.org, order.top_up.id,
                     dollars(order.top_up.cents), quota::to_string(order.top_up.amount));
}

}  // namespace

// Many calls of one organization may report at once that it has something to deliver.
void top_up_dispatcher::visit(const quota::org_id& org) {
  if (stopped_ || !endpoint_) return;
  if (const auto busy = busy_.find(org); busy != busy_.end()) {
    busy->second = true;
  } else if (waiting_.insert(org).second) {
    queue_.push_back(org);
    begin();
  }
}

void top_up_dispatcher::begin() {
  while (!stopped_ && !queue_.empty() && busy_.size() < most_at_once) {
    const auto org = std::move(queue_.front());
    queue_.pop_front();
    waiting_.erase(org);
    busy_[org] = false;
    const auto visiting = [](top_up_dispatcher& self, quota::org_id whose) -> task<> {
      co_await self.deliver_all(std::move(whose));
    };
    const auto ended = [this, org](std::exception_ptr failed) {
      try {
        if (failed) std::rethrow_exception(failed);
      } catch (const std::exception& error) {
        spdlog::error("top-ups of org={}: {}", org, error.what());
      }
      end(org);
    };
    asio::co_spawn(context_, visiting(*this, org), ended);
  }
}

void top_up_dispatcher::end(const quota::org_id& org) {
  const auto busy = busy_.extract(org);
  if (!busy.empty() && busy.mapped()) visit(org);
  begin();
}

task<> top_up_dispatcher::deliver_all(quota::org_id org) {
  const auto top_ups = co_await history_.top_ups(org);
  if (!top_ups) co_return;  // the next sweep returns
  std::string stripe_customer;
  if (endpoint_ && endpoint_->settings().kind == config::payment_kind::stripe) {
    auto found = co_await directory_.find(org);
    if (!found || !*found) co_return;
    stripe_customer = std::move((*found)->stripe_customer);
  }
  using quota::top_up_status;
  // Purchases come before polls, so that polls do not delay them.
  for (const auto status : {top_up_status::requested, top_up_status::pending}) {
    for (const auto& top_up : *top_ups) {
      if (stopped_ || !endpoint_) co_return;
      if (top_up.status != status) continue;
      payment_order order;
      order.org = org;
      order.top_up = top_up;
      order.stripe_customer = stripe_customer;
      // The lease decides whether a request is due: it knows the store's clock.
      if (status == top_up_status::requested) {
        co_await deliver(std::move(order));
      } else {
        co_await poll(std::move(order));
      }
    }
  }
}

// Polls a slow payment. If the endpoint cannot be asked, the payment is confirmed by hand.
task<> top_up_dispatcher::poll(payment_order order) {
  const auto endpoint = endpoint_;
  if (endpoint->settings().kind != config::payment_kind::stripe) co_return;
  const auto& top_up = order.top_up;
  if (!polls_.take_turn(order.org, top_up.id, top_up.requested_at, ledger_.now())) co_return;
  const auto known = co_await endpoint->look_up(order);
  if (!known) {
    spdlog::error("top-up pending: {}: Stripe has no payment for it", describe(order));
  } else if (known->verdict == top_up_verdict::failed) {
    write_down(order, *known, outcome::recorded);
  } else if (known->verdict != top_up_verdict::spent) {
    if (known->verdict != top_up_verdict::pending) polls_.forget(order.org, top_up.id);
    co_await resolve(order, *known);
  }
}

task<> top_up_dispatcher::deliver(payment_order order) {
  const auto endpoint = endpoint_;  // a reload may replace it meanwhile
  const auto obstacle = endpoint->obstacle(order);
  if (!obstacle.empty() && !was_asked_for(order.top_up)) {
    // It was never requested and cannot be, so it is over, and the account's back-off begins. Once
    // it has been requested, only the endpoint knows the outcome: then it is delivered as usual,
    // and fails.
    const payment_answer declined{top_up_verdict::declined, obstacle, true};
    co_return co_await resolve(order, declined);
  }
  if (!co_await lease(order, endpoint->settings().timeout + lease_margin)) co_return;
  const auto answer = co_await endpoint->ask(order);
  co_await resolve(order, answer);
}

// False: not ours to deliver, or the answer was lost. Data read before the lease may be out of
// date: the previous holder may have reported attempts and keys to the ledger.
task<bool> top_up_dispatcher::lease(payment_order& order, quota::milliseconds duration) {
  const quota::operation lease = quota::lease_top_up{order.top_up.id, duration};
  const auto reply = co_await ledger_.apply(order.org, lease);
  if (!reply || reply->result != outcome::recorded || stopped_) co_return false;
  auto top_ups = co_await history_.top_ups(order.org);
  if (!top_ups) co_return false;
  const auto found = std::ranges::find(*top_ups, order.top_up.id, &quota::top_up_record::id);
  if (found == top_ups->end()) co_return false;
  order.top_up = std::move(*found);
  co_return !stopped_;
}

// Repeats until the ledger confirms: money is involved.
task<> top_up_dispatcher::resolve(const payment_order& order, payment_answer answer) {
  timer pause{context_};
  for (int attempt = 0;; ++attempt) {
    const auto reply = co_await book(order, answer);
    if (reply) co_return write_down(order, answer, reply->result);
    pause.expires_after(std::min(quota::milliseconds{2'000},
                                 quota::milliseconds{50} * (1 << std::min(attempt, 6))));
    error_code ignored;
    co_await pause.async_wait(asio::redirect_error(use_task, ignored));
  }
}

// Remembers the payment before its credits are granted, so that a refund of another payment never
// takes them back.
task<result<quota::answer>> top_up_dispatcher::book(const payment_order& order,
                                                    payment_answer& answer) {
  if (answer.verdict == top_up_verdict::paid && !answer.payment.empty()) {
    const auto counts = co_await payments_.remember(order.org, order.top_up.id, answer.payment);
    if (!counts) co_return counts.error();
    say_which_counts(answer, *counts);
  }
  const quota::operation resolution =
      quota::resolve_top_up{order.top_up.id, answer.verdict, order.top_up.generation};
  co_return co_await ledger_.apply(order.org, resolution);
}

void top_up_dispatcher::write_down(const payment_order& order, const payment_answer& answer,
                                   outcome recorded) {
  const bool news = recorded == outcome::granted || recorded == outcome::recorded;
  if (news) counts_.top_ups[answer.verdict].increment();
  if (answer.mismatch != payment_mismatch::none) counts_.mismatches[answer.mismatch].increment();
  const auto text =
      fmt::format("top-up {}: {} attempt={} ledger={} ({})", name_of(answer.verdict),
                  describe(order), order.top_up.attempts, to_string(recorded), answer.why);
  if (!news && recorded != outcome::already_paid && recorded != outcome::already_declined) {
    spdlog::error("refused by the ledger: {}", text);
  } else if (answer.alarming) {
    spdlog::error("{}", text);
  } else if (answer.verdict == top_up_verdict::failed || answer.verdict == top_up_verdict::spent ||
             answer.verdict == top_up_verdict::declined) {
    spdlog::warn("{}", text);
  } else {
    spdlog::info("{}", text);
  }
}

}  // namespace tollgate::proxy::payments
