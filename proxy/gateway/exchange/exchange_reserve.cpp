// The part of an exchange that puts credits aside, or says why it cannot.
#include "proxy/gateway/exchange/exchange_parts.hpp"

namespace tollgate::proxy {

// The hold, before anything is sent.
task<exchange::verdict> exchange::reserve() {
  auto& world = worker_.world();
  if (!co_await worker_.store_ready()) co_return ledger_unavailable();
  const auto asked_at = steady_clock::now();

  quota::charge::terms terms;
  terms.id = world.ids->next_hold_id(world.ledger().now());
  terms.price_at = route().price_at;
  terms.estimated = classified_.estimated;
  terms.policy = route().settings.settlement;
  terms.hold_step = audio().hold_step_us;
  terms.hold_timeout = settings().holds.timeout;
  terms.admit = is_shadow()                 ? quota::admission::shadow
                : route().settings.critical ? quota::admission::critical
                                            : quota::admission::enforce;
  terms.request_id = record_.request_id;
  terms.who = record_.who;
  auto charge = std::make_shared<open_charge>(payer(), std::move(terms));

  auto action = charge->money.resume(quota::charge::begin{});
  while (const auto* apply = std::get_if<quota::charge::apply>(&action)) {
    const auto reply = co_await world.ledger().apply(payer(), apply->what);
    action = reply ? charge->money.resume(quota::charge::answered{*reply, world.ledger().now()})
                   : charge->money.resume(quota::charge::store_failed{});
  }
  record_.store_us = us_between(asked_at, steady_clock::now());
  rate_ = charge->money.rate();
  if (auto* failed = std::get_if<quota::charge::refuse_unavailable>(&action)) {
    worker_.charges().clean_up(payer(), std::move(failed->clean_up));
    co_return ledger_unavailable();
  }
  if (std::holds_alternative<quota::charge::refuse>(action)) {
    remaining_ = charge->money.available();
    co_return refused_by_ledger(charge->money, charge->money.estimate(), quota::credits{});
  }
  record_.held = true;
  record_.beyond_balance = charge->money.beyond_balance();
  charge_ = std::move(charge);
  worker_.charges().track(charge_, worker_.deadlines().now());
  co_return verdict{};
}

// `held`: so much of what is required this call has already; the ledger speaks of the rest.
problem exchange::refused_by_ledger(const quota::charge& money, quota::credits required,
                                    quota::credits held) {
  routes::ledger_refusal refusal;
  refusal.why = money.refused_as();
  refusal.required = required;
  refusal.available = money.available() + held;
  refusal.obstacle = money.obstacle_met().value_or(quota::obstacle{});
  refusal.obstacle.room += held;
  refusal.rate = rate_;
  const auto& who = record_.who;
  switch (refusal.obstacle.scope) {
    case quota::limit_scope::agent:
      refusal.whose = who.agent;
      break;
    case quota::limit_scope::conversation:
      refusal.whose = who.conversation;
      break;
    case quota::limit_scope::key:
      refusal.whose = who.key_id;
      break;
  }
  refusal.now = worker_.world().ledger().now();
  return to_problem(refusal);
}

}  // namespace tollgate::proxy
