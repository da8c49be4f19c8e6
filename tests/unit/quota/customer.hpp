// A customer of the ledger in C++: short names for its operations, at times that the test sets.
#pragma once

#include <chrono>
#include <map>

#include "quota/ledger/account_ledger.hpp"
#include "quota/statement.hpp"

namespace tollgate::quota {

inline time_point on(int year, unsigned month, unsigned day, milliseconds later = {}) {
  return time_point{std::chrono::sys_days{std::chrono::year{year} / month / day}} + later;
}

inline const plan_terms starter{"starter", credits::from_whole(20'000), 0, 0, 20'000, 1'000, 0, 0};
inline const plan_terms pro{"pro", credits::from_whole(200'000), 100, 1, 10'000, 2'500, 0, 0};

struct customer {
  account_ledger ledger;
  time_point now = on(2026, 11, 1);
  account_options options;
  int next = 0;

  answer apply(const operation& what) { return ledger.apply(what, now); }
  void at(time_point then) {
    now = then;
    apply(expire_holds{});
  }
  answer plan(const plan_terms& terms, bool at_once = true, int anchor = 0) {
    return apply(configure{terms, at_once, options, anchor});
  }
  hold_id id(int n) const {
    return hold_id::make(on(2026, 11, 1), 0, static_cast<std::uint64_t>(n));
  }
  answer hold(int n, credits amount, admission admit = admission::enforce,
              attribution who = {"chat", "llm", "gpt-4", "a1", "c1", "k1"}) {
    const auto made = hold_id::make(now, 0, static_cast<std::uint64_t>(n));
    holds[n] = made;
    return apply(reserve{made, amount, std::chrono::hours{48}, admit, "q", std::move(who)});
  }
  answer settle(int n, credits amount) { return apply(quota::settle{holds[n], amount, 1}); }
  answer release(int n) { return apply(void_hold{holds[n]}); }
  answer renew(int n, credits amount) {
    return apply(extend{holds[n], amount, std::chrono::hours{48}, admission::enforce});
  }
  // A complete call.
  outcome use(credits amount, admission admit = admission::enforce) {
    const auto n = --next;
    const auto reply = hold(n, amount, admit);
    if (is_held(reply.result)) settle(n, amount);
    return reply.result;
  }
  answer give(std::string id, credits amount, std::string kind = "purchase",
              time_point expires_at = never) {
    return apply(grant{std::move(id), amount, std::move(kind), "", expires_at, {}});
  }
  credits available() const { return ledger.row().available(); }
  credits left_of(std::string_view id) const {
    for (const auto& each : ledger.grants().active) {
      if (each.id == id) return each.remaining;
    }
    return {};
  }

  std::vector<quota::statement> statements() const {
    account_snapshot snapshot;
    snapshot.row = ledger.row();
    snapshot.overdrawn = ledger.overdrawn();
    snapshot.plan = ledger.plan();
    snapshot.top_up = ledger.top_up();
    return quota::statements(ledger.cycles(), snapshot);
  }

  std::map<int, hold_id> holds;
};

}  // namespace tollgate::quota
