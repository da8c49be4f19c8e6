#include "proxy/settlement.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

namespace tollgate::proxy {

namespace {

using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_executor>;

// A third of the timeout: two renewals may be lost before the hold is.
std::chrono::milliseconds renewal_interval(const open_charge& charge) {
  return charge.money.agreed().hold_timeout / 3;
}

}  // namespace

void settlement::track(std::shared_ptr<open_charge> charge, steady_time now) {
  charge->renew_at = now + renewal_interval(*charge);
  open_.push_back(std::move(charge));
  open_.back()->place = std::prev(open_.end());
}

void settlement::end(std::shared_ptr<open_charge> charge, quota::charge::ended how) {
  open_.erase(charge->place);
  ++resolving_;
  asio::co_spawn(executor_, drive(std::move(charge), how), asio::detached);
}

// Feeds one event to the charge and does what it asks for, until it waits for the next event or is
// done. When the call ends while a renewal is out, that renewal's driver goes on to resolve it.
task<> settlement::drive(std::shared_ptr<open_charge> charge, quota::charge::event event) {
  auto action = charge->money.resume(event);
  for (int attempt = 0;; ++attempt) {
    const quota::operation* what = nullptr;
    if (const auto* apply = std::get_if<quota::charge::apply>(&action)) {
      what = &apply->what;
    } else if (const auto* retry = std::get_if<quota::charge::retry>(&action)) {
      what = &retry->what;
      ++counted_.retries;
      co_await pause(attempt);
    } else {
      break;
    }
    const auto reply = co_await ledger_.apply(charge->org, *what);
    action = reply ? charge->money.resume(quota::charge::answered{*reply, ledger_.now()})
                   : charge->money.resume(quota::charge::store_failed{});
  }
  if (const auto* done = std::get_if<quota::charge::done>(&action)) {
    --resolving_;
    ++(done->charged > quota::credits{} ? counted_.settled : counted_.voided);
    counted_.settled_micro += done->charged.micro();
  }
}

void settlement::clean_up(quota::org_id org, quota::operation void_operation) {
  ++resolving_;
  const auto clean = [](settlement& self, quota::org_id payer, quota::operation what) -> task<> {
    for (int attempt = 0;; ++attempt) {
      const auto reply = co_await self.ledger_.apply(payer, what);
      if (reply) break;
      co_await self.pause(attempt);
    }
    --self.resolving_;
  };
  asio::co_spawn(executor_, clean(*this, std::move(org), std::move(void_operation)),
                 asio::detached);
}

task<> settlement::pause(int attempt) {
  timer delay{executor_};
  delay.expires_after(std::min(std::chrono::milliseconds{2'000},
                               std::chrono::milliseconds{25} * (1 << std::min(attempt, 7))));
  error_code ignored;
  co_await delay.async_wait(asio::redirect_error(use_task, ignored));
}

void settlement::tick(steady_time now) {
  // Holds of one configuration share a timeout, so the list is nearly sorted; after a reload that
  // changed it, a renewal may come early by the difference, which is harmless.
  while (!open_.empty() && open_.front()->renew_at <= now) {
    auto& charge = open_.front();
    charge->renew_at = now + renewal_interval(*charge);
    ++counted_.renewals;
    asio::co_spawn(executor_, drive(charge, quota::charge::renewal_due{}), asio::detached);
    open_.splice(open_.end(), open_, open_.begin());
  }
}

}  // namespace tollgate::proxy
