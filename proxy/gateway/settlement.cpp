#include "proxy/gateway/settlement.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

namespace tollgate::proxy {

namespace {

using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

// The journal records audio that is metered as it passes in steps of one second.
constexpr std::int64_t journal_step = 1'000'000;

// A third of the timeout: two renewals may be lost before the hold expires.
std::chrono::milliseconds renewal_interval(const open_charge& charge) {
  return charge.money.agreed().hold_timeout / 3;
}

// Answers that end before this time are not reported: so most calls cost the ledger nothing for it.
std::chrono::milliseconds first_renewal(const open_charge& charge) {
  return charge.money.agreed().hold_timeout / 30;
}

// A hold that the store made late, from a reservation that was on its way, ends a timeout later.
std::chrono::milliseconds void_until(const open_charge& charge) {
  return charge.money.agreed().hold_timeout * 2;
}

}  // namespace

void settlement::reserve(const std::shared_ptr<open_charge>& charge) {
  drive(charge, quota::charge::begin{});
}

void settlement::track(std::shared_ptr<open_charge> charge) {
  charge->renew_at = now_ + renewal_interval(*charge);
  open_.push_back(std::move(charge));
  open_.back()->place = std::prev(open_.end());
}

void settlement::began(open_charge& charge, quota::usage so_far) {
  if (journal_) journal_->open(charge.written, so_far.amount);
}

void settlement::answer_began(const std::shared_ptr<open_charge>& charge, quota::usage so_far) {
  drive(charge, quota::charge::begun{so_far});
  if (journal_) return;
  charge->renewed_soon = true;
  charge->renew_at = now_ + first_renewal(*charge);
  answering_.splice(answering_.end(), open_, charge->place);
}

void settlement::meter(const std::shared_ptr<open_charge>& charge, quota::usage so_far,
                       bool final) {
  const auto written = charge->written.used;
  // The amount recorded before the first second was an estimate.
  const bool worth_writing =
      so_far.amount - written >= journal_step || (so_far.amount > 0 && so_far.amount < written);
  if (journal_ && worth_writing) journal_->use(charge->written, so_far.amount);
  drive(charge, quota::charge::metered{so_far, final});
}

void settlement::end(std::shared_ptr<open_charge> charge, quota::charge::ended how) {
  if (journal_) {
    const auto& policy = charge->money.agreed().policy;
    const bool settles = quota::resolve(policy, how.how) == quota::resolution::settle;
    journal_->end(charge->written, settles, how.used.amount);
  }
  if (charge->reserved == open_charge::reservation::held) {
    (charge->renewed_soon ? answering_ : open_).erase(charge->place);
  }
  charge->over = true;
  ++resolving_;
  drive(std::move(charge), how);
}

// Passes one event to the charge and starts the action it returns; the result is the next event. If
// the call ends while a renewal is in progress, the answer to that renewal continues with the
// resolution.
void settlement::drive(std::shared_ptr<open_charge> charge, const quota::charge::event& event,
                       int attempt) {
  auto action = charge->money.resume(event);
  if (journal_) journal_->follow(charge->written);
  if (const auto* apply = std::get_if<quota::charge::apply>(&action)) {
    ask(std::move(charge), apply->what, attempt);
  } else if (auto* retry = std::get_if<quota::charge::retry>(&action)) {
    ++counted_.retries;
    const auto later = [](settlement& self, std::shared_ptr<open_charge> whose,
                          quota::operation what, int so_far) -> task<> {
      co_await self.pause(so_far);
      self.ask(std::move(whose), what, so_far);
    };
    asio::co_spawn(executor_, later(*this, std::move(charge), std::move(retry->what), attempt),
                   asio::detached);
  } else {
    conclude(std::move(charge), action);
  }
}

// Actions that end the reservation, or the charge.
void settlement::conclude(std::shared_ptr<open_charge> charge,
                          const quota::charge::action& action) {
  using reservation = open_charge::reservation;
  if (std::holds_alternative<quota::charge::forward>(action)) {
    charge->reserved = reservation::held;
    track(std::move(charge));
  } else if (std::holds_alternative<quota::charge::refuse>(action)) {
    charge->reserved = reservation::refused;
    if (charge->over) --resolving_;
  } else if (const auto* failed = std::get_if<quota::charge::refuse_unavailable>(&action)) {
    charge->reserved = reservation::unavailable;
    if (charge->over) --resolving_;
    if (failed->clean_up) {
      const auto until = std::chrono::steady_clock::now() + void_until(*charge);
      voids_.add(charge->org, *failed->clean_up, until);
    }
  } else if (const auto* done = std::get_if<quota::charge::done>(&action)) {
    --resolving_;
    if (journal_) journal_->confirm(charge->written);
    ++(done->charged > quota::credits{} ? counted_.settled : counted_.voided);
    counted_.settled_micro += done->charged.micro();
  }
}

task<bool> settlement::store_ready(std::chrono::milliseconds patience) {
  if (ledger_.ready()) co_return true;
  constexpr std::chrono::milliseconds step{10};
  timer delay{executor_};
  for (auto left = patience; left.count() > 0; left -= step) {
    delay.expires_after(step);
    error_code ignored;
    co_await delay.async_wait(asio::redirect_error(use_task, ignored));
    if (ledger_.ready()) co_return true;
  }
  co_return false;
}

void settlement::ask(std::shared_ptr<open_charge> charge, const quota::operation& what,
                     int attempt) {
  charge->asking = true;
  const auto& org = charge->org;
  auto then = [this, charge = std::move(charge), attempt](result<quota::answer> reply) {
    charge->asking = false;
    if (reply) {
      if (reply->result == quota::outcome::out_of_range) {
        spdlog::error(
            "org={} request={}: its use is beyond what an account can count; it is charged only "
            "as far as it was held",
            charge->org, charge->money.agreed().request_id);
      }
      const quota::charge::answered answered{*reply, ledger_.now()};
      drive(charge, answered, attempt + 1);
    } else {
      const bool not_applied = reply.error() == quota::store_errc::not_applied;
      drive(charge, quota::charge::store_failed{not_applied}, attempt + 1);
    }
    charge->answered.notify();
  };
  ledger_.submit(org, what, std::move(then));
}

task<> settlement::pause(int attempt) {
  timer delay{executor_};
  delay.expires_after(std::min(std::chrono::milliseconds{2'000},
                               std::chrono::milliseconds{25} * (1 << std::min(attempt, 7))));
  error_code ignored;
  co_await delay.async_wait(asio::redirect_error(use_task, ignored));
}

void settlement::tick(steady_time now) {
  now_ = now;
  voids_.tick(now);
  renew(answering_, now);
  renew(open_, now);
  room_.fit(resolving());
}

// Holds of one configuration share a timeout, so the lists are nearly sorted. After a reload that
// changed it, a renewal may come early by the difference, which is harmless.
void settlement::renew(charges& due, steady_time now) {
  while (!due.empty() && due.front()->renew_at <= now) {
    auto& charge = due.front();
    charge->renew_at = now + renewal_interval(*charge);
    charge->renewed_soon = false;
    ++counted_.renewals;
    if (charge->renewals != nullptr) charge->renewals->increment();
    open_.splice(open_.end(), due, due.begin());
    drive(open_.back(), quota::charge::renewal_due{});
  }
}

}  // namespace tollgate::proxy
