#include "proxy/gateway/exchange/held_charge.hpp"

#include "proxy/gateway/exchange/problems.hpp"

namespace tollgate::proxy {

namespace {

// How often the ledger is asked to extend a hold before it counts as unreachable.
constexpr int most_attempts = 20;

}  // namespace

bool held_charge::settles() const {
  return in_place() &&
         quota::resolve(charge_->money.agreed().policy, how_) == quota::resolution::settle;
}

bool held_charge::pays_from_last_byte() const {
  return in_place() &&
         charge_->money.agreed().policy.client_gone_waiting == quota::resolution::settle;
}

task<result<void, problem>> held_charge::reserve(const call& what) {
  const waiting_for store{context_.times, call_part::store};
  bool ready = charges_.is_store_ready();
  if (!ready) ready = co_await charges_.store_ready(context_.settings().store.wait);
  if (!ready || !charges_.has_room()) co_return ledger_unavailable();
  charge_ = std::make_shared<open_charge>(what.payer.org, terms_of(what));
  charge_->renewals = &context_.view->metrics.routes[what.work->route]->renewals;
  charges_.reserve(charge_);
  while (charge_->asking) co_await charge_->answered.wait();
  if (in_place()) co_return result<void, problem>{};
  if (charge_->reserved == open_charge::reservation::unavailable) co_return ledger_unavailable();
  co_return refused_by_ledger(charge_->money.estimate(), {});
}

quota::charge::terms held_charge::terms_of(const call& what) const {
  const auto& route = what.route();
  auto terms = terms_for(route, body_.estimated());
  terms.hold_step = body_.settings().hold_step_us;
  terms.admit = what.is_shadow()          ? quota::admission::shadow
                : route.settings.critical ? quota::admission::critical
                                          : quota::admission::enforce;
  terms.who = what.attribution();
  return terms;
}

// The id contains the store's time, so the store must have been reached before.
quota::charge::terms held_charge::terms_for(const routes::route& route,
                                            quota::usage estimated) const {
  quota::charge::terms terms;
  terms.id = context_.host.ids().next_hold_id(store_time());
  terms.price_at = route.price_at;
  terms.estimated = estimated;
  terms.policy = route.settings.settlement;
  terms.hold_timeout = context_.settings().holds.timeout;
  terms.request_id = context_.request_id;
  return terms;
}

// Agent and conversation may be in the path, and belong to a route that is not known yet. So a
// refusal by their limits does not count here.
task<result<void, problem>> held_charge::ask_for(const routes::least_call& least,
                                                 const call& what) {
  if (!charges_.is_store_ready()) co_return result<void, problem>{};
  auto terms = terms_for(*least.cheapest, least.estimated);
  const auto& settings = least.cheapest->settings;
  terms.who = {settings.name, settings.action, {}, {}, {}, what.payer.key_id};
  charge_ = std::make_shared<open_charge>(what.payer.org, std::move(terms));
  charges_.reserve(charge_);
  while (charge_->asking) co_await charge_->answered.wait();
  const auto& money = charge_->money;
  if (charge_->reserved == open_charge::reservation::refused &&
      money.refused_as() != quota::outcome::limit_reached) {
    routes::ledger_refusal refusal;
    refusal.required = money.estimate();
    refusal.is_least = true;
    refusal.available = money.available();
    refusal.obstacle = money.obstacle_met().value_or(quota::obstacle{});
    co_return to_problem(refusal);
  }
  // Credits came meanwhile, or the store went.
  if (in_place()) charges_.end(charge_, {quota::stream_end::not_sent, {}});
  charge_.reset();
  co_return result<void, problem>{};
}

void held_charge::meter(quota::usage so_far, bool final) {
  charges_.meter(charge_, so_far, final);
}

task<coverage> held_charge::cover(quota::usage used, bool final, patience how_long) {
  const auto wait = context_.settings().store.wait;
  for (int attempt = 0; !covers(used); ++attempt) {
    if (exhausted()) co_return coverage::exhausted;
    if (how_long == patience::while_wanted && context_.abandoned()) co_return coverage::abandoned;
    if (attempt > most_attempts) co_return coverage::unavailable;
    const waiting_for store{context_.times, call_part::store};
    bool ready = charges_.is_store_ready();
    if (!ready) ready = co_await charges_.store_ready(wait);
    if (!ready) co_return coverage::unavailable;
    meter(used, final);
    if (charge_->asking) co_await charge_->answered.wait();
  }
  co_return coverage::covered;
}

problem held_charge::out_of_credits(bool upload_ended) const {
  const auto& money = charge_->money;
  const auto needed = quota::price(money.agreed().price_at, body_.audio().used());
  auto refused = refused_by_ledger(needed, money.held());
  if (!upload_ended) refused.message += " (so far; the upload has not ended)";
  return refused;
}

problem held_charge::refused_by_ledger(quota::credits required, quota::credits held) const {
  const auto& money = charge_->money;
  routes::ledger_refusal refusal;
  refusal.required = required;
  refusal.available = money.available() + held;
  refusal.obstacle = money.obstacle_met().value_or(quota::obstacle{});
  refusal.obstacle.room += held;
  return to_problem(refusal);
}

problem held_charge::to_problem(routes::ledger_refusal refusal) const {
  const auto& money = charge_->money;
  refusal.why = money.refused_as();
  refusal.rate = money.rate();
  refusal.whose = quota::member_of(money.agreed().who, refusal.obstacle.scope);
  refusal.now = store_time();
  return routes::to_problem(refusal);
}

void held_charge::began() {
  charges_.began(*charge_, body_.if_left());
}

void held_charge::answer_began() {
  began();
  charges_.answer_began(charge_, body_.so_far());
}

std::optional<resolved_charge> held_charge::resolve() {
  if (std::exchange(resolved_, true) || !charge_) return {};
  body_.close(how_);
  std::optional<resolved_charge> out;
  if (in_place()) {
    const auto& money = charge_->money;
    out.emplace();
    out->used = body_.used();
    out->estimate = money.estimate();
    out->extended = money.held() - out->estimate;
    out->settles = settles();
    out->beyond_balance = money.beyond_balance();
    out->shadow = money.agreed().admit == quota::admission::shadow;
    if (out->settles) out->charged = price_of_used();
  }
  const bool is_over = !in_place() && charge_->reserved != open_charge::reservation::asked;
  if (!is_over) charges_.end(charge_, {how_, body_.used()});
  return out;
}

std::optional<quota::credits> held_charge::price_in_head() const {
  if (!in_place() || (body_.is_answer() && settles())) return {};
  if (body_.is_upload() && !context_.request.done()) return {};
  return settles() ? price_of_used() : quota::credits{};
}

quota::credits held_charge::price_of_used() const {
  return quota::price(charge_->money.agreed().price_at, body_.used());
}

std::optional<quota::credits> held_charge::remaining(std::optional<quota::credits> charged) const {
  if (!charge_ || charge_->reserved == open_charge::reservation::unavailable) return {};
  const auto& money = charge_->money;
  if (!in_place() || !charged) return money.available();
  return money.available() + money.held() - *charged;
}

const quota::rate_status* held_charge::rate() const {
  return charge_ && charge_->money.rate() ? &*charge_->money.rate() : nullptr;
}

}  // namespace tollgate::proxy
