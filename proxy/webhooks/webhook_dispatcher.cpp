#include "proxy/webhooks/webhook_dispatcher.hpp"

#include <algorithm>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <spdlog/spdlog.h>

#include "proxy/webhooks/event_filter.hpp"

namespace tollgate::proxy::webhooks {

namespace {

using quota::webhook_outcome;
using std::chrono::steady_clock;
using timer =
    asio::basic_waitable_timer<steady_clock, asio::wait_traits<steady_clock>, io_executor>;

task<> sleep_for(quota::milliseconds duration) {
  timer delay{co_await asio::this_coro::executor};
  delay.expires_after(duration);
  error_code ignored;
  co_await delay.async_wait(asio::redirect_error(use_task, ignored));
}

std::string describe(const quota::webhook_lease& lease, std::string_view event) {
  return fmt::format("org={} endpoint={} event={}", lease.org, lease.endpoint, event);
}

}  // namespace

webhook_dispatcher::webhook_dispatcher(asio::io_context& context, quota::ledger& ledger,
                                       quota::account_history& history, quota::webhook_store& store,
                                       metrics::webhook_metrics& counts)
    : webhook_dispatcher{context, ledger, history, store, counts, places{}} {}

webhook_dispatcher::webhook_dispatcher(asio::io_context& context, quota::ledger& ledger,
                                       quota::account_history& history, quota::webhook_store& store,
                                       metrics::webhook_metrics& counts,
                                       delivery_queue::places places,
                                       std::unique_ptr<quota::id_source> chance)
    : context_{context},
      ledger_{ledger},
      history_{history},
      store_{store},
      counts_{counts},
      queue_{places},
      chance_{std::move(chance)},
      token_{quota::random_id_source{}.next_hex128()} {}

// A failure in one visit must not end the others.
template <class Work, class Then>
void webhook_dispatcher::spawn(Work work, Then then) {
  asio::co_spawn(context_, std::move(work), [then](std::exception_ptr failed, auto... how) {
    try {
      if (failed) std::rethrow_exception(failed);
    } catch (const std::exception& error) {
      spdlog::error("webhooks: {}", error.what());
    }
    then(how...);
  });
}

void webhook_dispatcher::start(quota::milliseconds sweep_every) {
  rest_ = sweep_every * rounds_to_rest;
  spawn(keep_time(sweep_every), [] {});
}

task<> webhook_dispatcher::keep_time(quota::milliseconds sweep_every) {
  constexpr quota::milliseconds tick{200};
  auto sweep_at = steady_clock::now();
  while (!stopped_) {
    co_await sleep_for(tick);
    visit_the_due();
    if (steady_clock::now() < sweep_at) continue;
    co_await sweep();
    sweep_at = steady_clock::now() + sweep_every;
  }
}

task<> webhook_dispatcher::sweep() {
  std::erase_if(resting_, [](const auto& each) { return each.second <= steady_clock::now(); });
  std::string after;
  while (!stopped_ && ledger_.ready()) {
    const auto page = co_await store_.orgs(after, 100);
    if (!page || page->empty()) co_return;
    for (const auto& org : *page) {
      if (!resting_.contains(org)) co_await look(org);
    }
    after = page->back();
  }
}

void webhook_dispatcher::remind(const quota::org_id& org, quota::milliseconds in) {
  const auto at = steady_clock::now() + in;
  const auto [known, first] = reminders_.try_emplace(org, at);
  if (!first) known->second = std::min(known->second, at);
}

void webhook_dispatcher::visit_the_due() {
  const auto now = steady_clock::now();
  std::vector<quota::org_id> due;
  for (const auto& [org, at] : reminders_) {
    if (at <= now) due.push_back(org);
  }
  for (const auto& org : due) {
    reminders_.erase(org);
    visit(org);
  }
}

void webhook_dispatcher::visit(const quota::org_id& org) {
  if (stopped_) return;
  if (const auto looking = looked_at_.find(org); looking != looked_at_.end()) {
    looking->second = true;
  } else {
    spawn(look(org), [] {});
  }
}

task<> webhook_dispatcher::look(quota::org_id org) {
  if (!looked_at_.try_emplace(org, true).second) co_return;
  while (std::exchange(looked_at_[org], false)) co_await look_once(org);
  looked_at_.erase(org);
}

task<> webhook_dispatcher::look_once(const quota::org_id& org) {
  const auto known = co_await store_.read(org);
  if (!known) co_return;  // the next sweep returns
  resting_[org] = steady_clock::now() + rest_;
  for (const auto& endpoint : known->endpoints) {
    if (!endpoint.disabled.empty() || endpoint.cursor == known->last_event) continue;
    resting_.erase(org);
    const auto due = std::max(endpoint.next_at, endpoint.leased_until);
    const recipient to{org, endpoint.id};
    if (due <= known->now || queue_.is_busy(to)) {
      enqueue(to);
    } else {
      remind(org, due - known->now);
    }
  }
}

void webhook_dispatcher::enqueue(recipient to) {
  queue_.add(std::move(to));
  begin();
}

void webhook_dispatcher::begin() {
  while (!stopped_) {
    const auto to = queue_.begin_next();
    if (!to) return;
    spawn(deliver(*to), [this, to = *to](turn how) { end(to, how); });
  }
}

void webhook_dispatcher::end(const recipient& to, turn how) {
  const bool changed = queue_.end(to);
  if (how == turn::more) {
    enqueue(to);
  } else if (changed) {
    visit(to.first);
  }
  begin();
}

task<webhook_dispatcher::turn> webhook_dispatcher::deliver(recipient to) {
  quota::webhook_lease lease;
  lease.org = to.first;
  lease.endpoint = to.second;
  lease.token = token_;
  lease.duration = sender_->settings().timeout + lease_margin;
  auto leased = co_await store_.lease(lease);
  if (!leased || !*leased) co_return turn::over;
  if ((*leased)->forgotten) {
    counts_.forgotten.increment();
    spdlog::error(
        "webhooks: events may be lost: org={} endpoint={} is further behind than the events kept",
        lease.org, lease.endpoint);
  }
  const bool ours = co_await deliver_some(lease, std::move((*leased)->endpoint));
  if (!ours) co_return turn::over;
  const step release = [this, lease] { return store_.release(lease); };
  const auto released = co_await tell(lease, release);
  co_return released == webhook_outcome::more ? turn::more : turn::over;
}

task<bool> webhook_dispatcher::deliver_some(const quota::webhook_lease& lease,
                                            quota::webhook_endpoint endpoint) {
  const auto turn_ends = steady_clock::now() + sender_->settings().timeout;
  const auto events = co_await history_.events(lease.org, endpoint.cursor, events_a_turn);
  if (!events) co_return false;  // the lease expires, and a sweep returns
  for (const auto& event : *events) {
    if (stopped_ || steady_clock::now() >= turn_ends) break;
    const bool go_on = co_await hand_over(lease, endpoint, event);
    if (!go_on) co_return false;
    endpoint.attempts = 0;  // of the next event
  }
  co_return true;
}

task<bool> webhook_dispatcher::hand_over(const quota::webhook_lease& lease,
                                         const quota::webhook_endpoint& endpoint,
                                         const quota::account_event& event) {
  if (!wants(endpoint.events, "account." + event.type)) {
    const step skip = [this, lease, id = event.id] { return store_.skipped(lease, id); };
    const auto skipped = co_await tell(lease, skip);
    co_return skipped == webhook_outcome::done;
  }
  const auto what = message_of(lease.org, event);
  const auto tried = store_.now();
  const auto attempt = co_await send_now(endpoint, what);
  const auto counts_from = std::max(event.at, endpoint.since);
  const auto next = sender_->attempts().next_attempt(counts_from, tried, endpoint.attempts == 0,
                                                     chance_->random_bits());
  step outcome;
  bool go_on = false;
  switch (verdict_of(attempt.status)) {
    case verdict::delivered:
      spdlog::debug("webhook delivered: {}", describe(lease, event.id));
      outcome = [&] { return store_.delivered(lease, event.id, attempt.status); };
      go_on = true;
      break;
    case verdict::gone:
      spdlog::warn("webhook endpoint disabled: it answered 410 Gone: {}",
                   describe(lease, event.id));
      outcome = [&] { return store_.gone(lease, attempt, "it answered 410 Gone"); };
      break;
    case verdict::failed:
      spdlog::warn("webhook failed: {} ({})", describe(lease, event.id), attempt.error);
      if (!next) co_return co_await give_up(lease, what, event.id, attempt);
      outcome = [&] { return store_.failed(lease, attempt, *next); };
      remind(lease.org, std::max(*next - store_.now(), quota::milliseconds{0}));
      break;
  }
  const auto told = co_await tell(lease, outcome);
  co_return go_on&& told == webhook_outcome::done;
}

task<bool> webhook_dispatcher::give_up(const quota::webhook_lease& lease, const message& what,
                                       const std::string& event,
                                       const quota::webhook_attempt& attempt) {
  quota::dead_letter letter;
  letter.event = event;
  letter.body = what.body;
  letter.last = attempt;
  spdlog::error("webhook given up, now a dead letter: {}", describe(lease, event));
  counts_.dead_letters.increment();
  const step die = [&] { return store_.died(lease, letter); };
  const auto told = co_await tell(lease, die);
  if (told == webhook_outcome::full) {
    spdlog::error("dead letters: the oldest one of org={} endpoint={} was dropped", lease.org,
                  lease.endpoint);
  }
  co_return told == webhook_outcome::done || told == webhook_outcome::full;
}

// Repeated while the lease may still be ours: a step that is not recorded is repeated later.
task<webhook_outcome> webhook_dispatcher::tell(const quota::webhook_lease& lease,
                                               const step& step) {
  const auto until = steady_clock::now() + lease.duration;
  do {
    const auto told = co_await step();
    if (told) co_return *told;
    co_await sleep_for(quota::milliseconds{100});
  } while (steady_clock::now() < until);
  co_return webhook_outcome::lost;
}

task<> webhook_dispatcher::end_deliveries() {
  constexpr quota::milliseconds tick{10};
  // Attempts that end in time are also recorded in the store.
  const auto until = steady_clock::now() + sender_->settings().timeout + quota::milliseconds{500};
  while (!queue_.idle() && steady_clock::now() < until) co_await sleep_for(tick);
}

task<quota::webhook_attempt> webhook_dispatcher::send_now(const quota::webhook_endpoint& endpoint,
                                                          message what) {
  const auto by = sender_;  // a reload may replace it meanwhile
  auto attempt = co_await by->send(endpoint, std::move(what), store_.now());
  counts_.deliveries[verdict_of(attempt.status)].increment();
  co_return attempt;
}

}  // namespace tollgate::proxy::webhooks
