#include "proxy/gateway/sweeper.hpp"

#include <optional>

#include "proxy/net/sleep.hpp"

namespace tollgate::proxy {

namespace {
constexpr std::size_t organizations_at_once = 100;
}

task<> sweeper::run() {
  // Changes of the store's clock before this started are unknown: the first round assumes that it
  // was set back.
  std::optional<std::uint64_t> times_set_back;
  while (!stopped_) {
    co_await sleep_for(executor_, settings_().sweep_every);
    // The time is the store's, and a thread without calls does not receive it otherwise.
    const auto known = co_await store_.ask_time();
    if (!known) continue;
    const auto now = store_.times_set_back();
    const bool complete = co_await sweep_all(times_set_back != now);
    if (complete && store_.ledger().ready()) times_set_back = now;
  }
}

// False: not all accounts; the store became unavailable.
task<bool> sweeper::sweep_all(bool clock_set_back) {
  bool complete = true;
  std::string after;
  while (store_.ledger().ready()) {
    const auto page = co_await store_.directory().list(after, organizations_at_once);
    if (!page) complete = false;
    if (!page || page->empty()) break;
    for (const auto& organization : *page) {
      const bool swept = co_await sweep_account(organization.id, clock_set_back);
      complete = complete && swept;
      if (!swept) break;
    }
    after = page->back().id;
  }
  co_return complete;
}

// False: the store is unavailable. If the clock was set back, holds of sidecars that are gone would
// last that much longer: so none keeps more than the timeout with which it could have been renewed.
task<bool> sweeper::sweep_account(const quota::org_id& org, bool clock_set_back) {
  auto& ledger = store_.ledger();
  const auto pending = co_await ledger.pending(org);
  if (!pending) co_return false;
  const bool shorten = clock_set_back && pending->holds > 0;
  if (shorten || (pending->due && *pending->due <= ledger.now())) {
    quota::expire_holds what;
    if (shorten) what.at_most = settings_().timeout;
    const quota::operation sweep{what};
    const auto swept = co_await ledger.apply(org, sweep);
    if (swept) expired_micro_.add(swept->amount.micro());
  }
  if (!pending->open_top_ups.empty() && on_top_up_) on_top_up_(org);
  co_return true;
}

}  // namespace tollgate::proxy
