#include "proxy/gateway/sweeper.hpp"

#include "proxy/net/sleep.hpp"

namespace tollgate::proxy {

namespace {

constexpr std::size_t organizations_at_once = 100;
constexpr std::chrono::milliseconds between_walks = std::chrono::hours{1};
constexpr int rounds_between_claims = 12;
// An account that cannot be read, because a later release has written it.
constexpr std::chrono::milliseconds unreadable_for = std::chrono::minutes{1};

}  // namespace

task<> sweeper::run() {
  // Changes of the store's clock before this started are unknown: the first round assumes that it
  // was set back.
  std::optional<std::uint64_t> times_set_back;
  while (!stopped_) {
    co_await sleep_for(executor_, rules_().holds.sweep_every);
    // The time is the store's, and a thread without calls does not receive it otherwise.
    const auto known = co_await store_.ask_time();
    if (!known) continue;
    const auto now = store_.times_set_back();
    if (times_set_back != now) {
      const bool complete = co_await walk(true);
      if (complete && store_.ledger().ready()) {
        times_set_back = now;
        co_await store_.due().claim_walk(between_walks);  // this was one
      }
    }
    const bool complete = co_await sweep_due();
    if (complete) co_await walk_slowly();
  }
}

task<bool> sweeper::sweep_due() {
  do {
    const bool with_top_ups = rules_().delivers_top_ups;
    const auto due = co_await store_.due().due(organizations_at_once, with_top_ups);
    if (!due) co_return false;
    std::vector<quota::account_look> looks;
    for (const auto& account : *due) {
      auto look = co_await look_at(account, false);
      if (!look) break;
      if (on_look_ && account.from == quota::due_list::recent) on_look_(account.org);
      looks.push_back(*std::move(look));
    }
    const bool all = looks.size() == due->size();
    const auto noted = co_await store_.due().looked(std::move(looks));
    if (!noted || !all) co_return false;
    // Everything that was looked at is due later than now, so this ends.
    if (due->size() < organizations_at_once) break;
  } while (!stopped_);
  co_return true;
}

task<bool> sweeper::walk(bool clock_set_back) {
  bool complete = true;
  std::string after;
  do {
    complete = co_await walk_page(after, clock_set_back);
  } while (complete && !after.empty() && store_.ledger().ready());
  co_return complete;
}

// `after` is empty at the end.
task<bool> sweeper::walk_page(std::string& after, bool clock_set_back) {
  const auto page = co_await store_.directory().ids(after, organizations_at_once);
  if (!page) co_return false;
  std::vector<quota::account_look> looks;
  for (const auto& org : *page) {
    quota::due_account account{org, quota::due_list::recent, 0};
    auto look = co_await look_at(std::move(account), clock_set_back);
    if (!look) co_return false;
    if (look->next || look->open_top_ups) looks.push_back(*std::move(look));
  }
  after = page->empty() ? "" : page->back();
  const auto noted = co_await store_.due().walked(std::move(looks));
  co_return noted.has_value();
}

// One page in each round.
task<> sweeper::walk_slowly() {
  if (!slow_walk_) {
    if (--rounds_until_claim_ > 0) co_return;
    rounds_until_claim_ = rounds_between_claims;
    const auto ours = co_await store_.due().claim_walk(between_walks);
    if (!ours || !*ours) co_return;
    slow_walk_.emplace();
  }
  const bool complete = co_await walk_page(*slow_walk_, false);
  if (complete && slow_walk_->empty()) slow_walk_.reset();
}

// If the clock was set back, holds of sidecars that are gone would last that much longer: so none
// keeps more than the timeout with which it could have been renewed.
task<std::optional<quota::account_look>> sweeper::look_at(quota::due_account account,
                                                          bool clock_set_back) {
  auto& ledger = store_.ledger();
  const auto org = account.org;
  quota::account_look look{std::move(account), {}, false, {}};
  auto pending = co_await ledger.pending(org);
  const auto now = ledger.now();
  look.next_visit = now + rules_().holds.sweep_every;
  if (!pending && pending.error() == quota::store_errc::protocol) {
    look.next = now + unreadable_for;
    co_return look;
  }
  if (!pending) co_return std::nullopt;
  const bool shorten = clock_set_back && pending->holds > 0;
  if (shorten || (pending->due && *pending->due <= now)) {
    quota::expire_holds what;
    if (shorten) what.at_most = rules_().holds.timeout;
    const quota::operation sweep{what};
    const auto swept = co_await ledger.apply(org, sweep);
    if (swept) expired_micro_.add(swept->amount.micro());
    pending = co_await ledger.pending(org);
    if (!pending) co_return std::nullopt;
  }
  look.next = pending->due;
  if (look.next && *look.next <= now) look.next = now + rules_().holds.sweep_every;
  look.open_top_ups = !pending->open_top_ups.empty();
  const bool visits = look.open_top_ups && on_top_up_ && rules_().delivers_top_ups;
  if (visits && look.account.from == quota::due_list::top_ups) on_top_up_(org);
  if (look.account.from != quota::due_list::top_ups) look.next_visit = now;
  co_return look;
}

}  // namespace tollgate::proxy
