#include "quota/charge.hpp"

#include <algorithm>
#include <utility>

namespace tollgate::quota {

std::string_view to_string(stream_end end) {
  switch (end) {
    case stream_end::not_sent:
      return "not_sent";
    case stream_end::refused:
      return "refused";
    case stream_end::accepted:
      return "accepted";
    case stream_end::upstream_failed:
      return "upstream_failed";
    case stream_end::no_answer:
      return "no_answer";
    case stream_end::client_gone_early:
      return "client_gone_early";
    case stream_end::client_gone:
      return "client_gone";
    case stream_end::cut:
      return "cut";
    case stream_end::client_gone_waiting:
      return "client_gone_waiting";
    case stream_end::redirected:
      return "redirected";
    case stream_end::stream_error:
      return "stream_error";
    case stream_end::empty:
      return "empty";
  }
  return "unknown";
}

resolution resolve(const settlement_policy& policy, stream_end end) {
  switch (end) {
    case stream_end::not_sent:
      return resolution::void_hold;
    case stream_end::refused:
      return policy.refused;
    case stream_end::accepted:
    case stream_end::cut:
      return resolution::settle;
    case stream_end::upstream_failed:
      return policy.upstream_failed;
    case stream_end::no_answer:
      return policy.no_answer;
    case stream_end::client_gone_early:
      return policy.client_gone_early;
    case stream_end::client_gone_waiting:
      return policy.client_gone_waiting;
    case stream_end::client_gone:
      return policy.client_gone;
    case stream_end::redirected:
      return policy.redirected;
    case stream_end::stream_error:
      return policy.stream_error;
    case stream_end::empty:
      return policy.empty;
  }
  return resolution::void_hold;
}

// The hold grows ahead of the metered usage by as much again: at least this much, or every frame
// would cause an operation, and at most one step.
constexpr std::int64_t first_step = 1'000'000;

std::int64_t ahead_of(std::int64_t metered, std::int64_t step) {
  return std::clamp(metered, first_step, std::max(step, first_step));
}

charge::charge(terms terms)
    : terms_{std::move(terms)},
      hold_{terms_.id, terms_.id, {}, price(terms_.price_at, terms_.estimated)} {}

charge charge::recovered(terms terms) {
  charge again{std::move(terms)};
  again.state_ = state::open;
  return again;
}

charge::action charge::resume(const event& event) {
  return std::visit([this](const auto& happened) { return on(happened); }, event);
}

charge::action charge::on(const begin&) {
  if (state_ != state::created) return wait{};
  return ask(state::reserving, reservation(hold_.amount, terms_.admit));
}

charge::action charge::on(const answered& event) {
  switch (state_) {
    case state::reserving:
      return on_reserved(event);
    case state::extending:
      return on_extended(event);
    case state::releasing:
      return on_released(event.reply);
    case state::replacing:
      if (event.reply.result == outcome::forgotten) return reserve_next(hold_.id.a_day_later());
      return on_replaced(event.reply);
    case state::resolving:
    case state::late_settling:
      return on_resolved(event);
    case state::late_reserving:
      return on_reserved_late(event);
    case state::created:
    case state::open:
    case state::done:
      break;
  }
  return wait{};
}

charge::action charge::on(const store_failed& event) {
  switch (state_) {
    case state::reserving:
      state_ = state::done;
      if (event.not_applied) return refuse_unavailable{};
      return refuse_unavailable{void_hold{hold_.id}};
    case state::extending:
    case state::releasing:
    case state::replacing:
      if (ended_) return resolve();
      state_ = state::open;
      return wait{};  // the next renewal or the next metered usage finds out
    case state::resolving:
    case state::late_reserving:
    case state::late_settling:
      return retry{*asked_};
    case state::created:
    case state::open:
    case state::done:
      break;
  }
  return wait{};
}

charge::action charge::on(const renewal_due&) {
  if (state_ != state::open || hold_.gone) return wait{};
  growth_.to = hold_.amount;
  return ask(state::extending, extension());
}

charge::action charge::on(const begun& event) {
  if (!begun_) begun_ = event.so_far;
  return wait{};
}

charge::action charge::on(const metered& event) {
  if (!growth_.metered) growth_.metered = event;
  growth_.metered->so_far.amount = std::max(growth_.metered->so_far.amount, event.so_far.amount);
  growth_.metered->final = growth_.metered->final || event.final;
  return state_ == state::open ? grow() : wait{};
}

// Waits for a pending operation, so that its answer is never taken for that of the next one.
charge::action charge::on(const ended& event) {
  if (ended_) return wait{};
  ended_ = event;
  ended_->used.amount = std::max<std::int64_t>(event.used.amount, 0);
  if (state_ == state::reserving) ended_->how = stream_end::not_sent;
  if (state_ == state::open) return resolve();
  if (state_ == state::created) return finish(credits{});
  return wait{};
}

charge::action charge::on_reserved(const answered& event) {
  const auto& reply = event.reply;
  // The store's clock has moved by days, and the id contains its old time: an id that old is never
  // held. A new id is made with the store's current time; nothing has been charged under the old
  // one.
  if (reply.result == outcome::forgotten && !ended_ && !hold_.renamed) {
    hold_.renamed = true;
    hold_.id = hold_.id.made_again(event.store_time);
    return ask(state::reserving, reservation(hold_.amount, terms_.admit));
  }
  said_.available = reply.available;  // a refusal also states the available credits
  said_.rate = reply.rate;
  if (!is_held(reply.result)) {
    state_ = state::done;
    note_refusal(reply);
    return refuse{reply.result};
  }
  hold_.confirmed = hold_.id;
  said_.beyond_balance = reply.result == outcome::held_beyond_balance;
  if (ended_) return resolve();
  state_ = state::open;
  return forward{};
}

charge::action charge::on_extended(const answered& event) {
  const auto result = event.reply.result;
  if (ended_) return resolve();
  if (result == outcome::settled_on_expiry) return go_on_behind(event);
  const bool gone =
      result == outcome::expired || result == outcome::not_found || result == outcome::forgotten;
  if (gone) return replace(hold_.id.successor());
  said_.available = event.reply.available;
  if (result != outcome::extended) return refused_to_grow(event.reply);
  hold_.amount = std::max(hold_.amount, growth_.to);
  return keep_open();
}

// A call that outlived its hold (the store was unavailable for longer than the timeout) continues
// under a new one. Its price was agreed, so no balance refuses it. If this fails, too, settling
// finds out.
charge::action charge::replace(const hold_id& next) {
  growth_.to = hold_.amount;
  return reserve_next(next);
}

charge::action charge::reserve_next(const hold_id& next) {
  hold_.id = next;
  return ask(state::replacing, reservation(growth_.to - paid(), admission::owed));
}

charge::action charge::on_replaced(const answer& reply) {
  hold_.confirmed = hold_.id;
  hold_.amount = growth_.to;
  said_.available = reply.available;
  return keep_open();
}

// Like reserve_next(), but the usage so far has been charged: only the rest is held.
charge::action charge::go_on_behind(const answered& event) {
  note_charged(event.reply);
  if (hold_.amount > paid()) return replace(hold_.id.successor());
  hold_.id = hold_.id.successor();
  hold_.amount = paid();
  hold_.gone = true;
  said_.available = event.reply.available;
  return keep_open();
}

void charge::note_charged(const answer& reply) {
  const auto more = reply.charged.value_or(use{reply.amount, 0, 0});
  if (!paid_) {
    paid_ = use{{}, 0, 0};
    hold_.paid_as = hold_.id;
  }
  *paid_ = {paid_->amount + more.amount, paid_->used + more.used,
            paid_->billed_us + more.billed_us};
}

// The usage that is not charged yet. The price is computed from all usage.
use charge::unpaid(usage used) const {
  const use all{price(terms_.price_at, used), std::min(used.amount, max_used),
                std::min(billed_us(terms_.price_at, used), max_used)};
  if (!paid_) return all;
  return {std::max(all.amount - paid_->amount, credits{}),
          std::max<std::int64_t>(all.used - paid_->used, 0),
          std::max<std::int64_t>(all.billed_us - paid_->billed_us, 0)};
}

std::optional<use> charge::to_settle_at() const {
  if (!begun_) return std::nullopt;
  auto used = *begun_;
  if (growth_.metered) used.amount = std::max(used.amount, growth_.metered->so_far.amount);
  const auto unpaid_use = unpaid(used);
  return unpaid_use.amount.in_range() ? std::optional{unpaid_use} : std::nullopt;
}

operation charge::extension(std::optional<credits> needed) const {
  if (needed) *needed = std::max(*needed - paid(), credits{});
  return extend{hold_.id, growth_.to - paid(), terms_.hold_timeout, terms_.admit,
                needed,   to_settle_at()};
}

// A refused step does not mean that the usage so far is refused: the next request asks for exactly
// that.
charge::action charge::refused_to_grow(const answer& reply) {
  state_ = state::open;
  if (growth_.to <= hold_.amount) return wait{};
  note_refusal(reply);
  if (growth_.to <= price(terms_.price_at, growth_.metered->so_far)) {
    growth_.exhausted = true;
    return wait{};
  }
  growth_.cautious = true;
  return grow();
}

void charge::note_refusal(const answer& reply) {
  said_.refused_as = reply.result;
  said_.obstacle_met = reply.why;
}

// Requests a larger hold when the current one will soon be too small.
charge::action charge::grow() {
  if (!growth_.metered || growth_.exhausted) return wait{};
  const auto needed = price(terms_.price_at, growth_.metered->so_far);
  if (growth_.metered->final && hold_.amount > needed) return release_rest();
  usage wanted = growth_.metered->so_far;
  if (!growth_.cautious && !growth_.metered->final) {
    // Requested while a quarter of the margin is left, so that the answer arrives in time.
    const auto ahead = ahead_of(wanted.amount, terms_.hold_step);
    if (covers({wanted.amount + ahead / 4})) return wait{};
    wanted.amount += ahead;
  }
  if (covers(wanted)) return wait{};
  growth_.to = price(terms_.price_at, wanted);
  if (std::exchange(hold_.gone, false)) {
    return ask(state::replacing, reservation(growth_.to - paid(), admission::owed));
  }
  return ask(state::extending, extension(needed));
}

// Sent once: if the ledger does not answer, the settlement releases the rest.
charge::action charge::release_rest() {
  if (hold_.gone || std::exchange(growth_.released, true)) return wait{};
  return ask(state::releasing, release{hold_.id, unpaid(growth_.metered->so_far).amount});
}

charge::action charge::on_released(const answer& reply) {
  if (reply.result == outcome::released) {
    hold_.amount = paid() + reply.amount;
    said_.available = reply.available;
  }
  return keep_open();
}

charge::action charge::on_resolved(const answered& event) {
  const bool settling = std::holds_alternative<settle>(*asked_);
  switch (event.reply.result) {
    case outcome::settled:
    case outcome::already_settled:
      return finish(event.reply.amount);
    case outcome::voided:
    case outcome::already_voided:
      return finish(credits{});
    case outcome::expired:
    case outcome::not_found:
      return settling ? charge_late(hold_.id.successor()) : finish(credits{});
    case outcome::settled_on_expiry:
      note_charged(event.reply);
      return settling ? charge_rest() : finish(credits{});
    // After days nobody can tell whether an earlier attempt was charged, so it is not charged
    // again. If not even the hold could be placed, there was no earlier attempt.
    case outcome::forgotten:
      return settling && hold_.id != hold_.confirmed ? charge_late(hold_.id.a_day_later())
                                                     : finish(credits{});
    case outcome::out_of_range:
      break;
    default:
      return retry{*asked_};  // not an answer to this operation
  }
  // More than the account can ever hold: the call pays what was held, which always fits.
  auto* settlement = std::get_if<settle>(&*asked_);
  const auto held = hold_.amount - paid();
  if (settlement == nullptr || settlement->amount <= held) return finish(credits{});
  return ask(state::resolving,
             settle{settlement->id, held, settlement->used, settlement->billed_us});
}

charge::action charge::on_reserved_late(const answered& event) {
  switch (event.reply.result) {
    case outcome::held:
    case outcome::held_beyond_balance:
    case outcome::exists:
    case outcome::exists_with_different_amount:
      hold_.confirmed = hold_.id;
      return settle_used(state::late_settling);
    case outcome::already_settled:
      return finish(event.reply.amount);
    case outcome::already_voided:
    case outcome::expired:
    case outcome::not_found:
      return charge_late(hold_.id.successor());  // that hold expired, too
    case outcome::forgotten:
      return charge_late(hold_.id.a_day_later());
    case outcome::settled_on_expiry:
      note_charged(event.reply);
      return charge_rest();
    case outcome::out_of_range:
      return finish(credits{});
    default:
      return retry{*asked_};
  }
}

charge::action charge::keep_open() {
  if (ended_) return resolve();
  state_ = state::open;
  return grow();
}

charge::action charge::resolve() {
  if (quota::resolve(terms_.policy, ended_->how) == resolution::void_hold) {
    return hold_.gone ? finish(credits{}) : ask(state::resolving, void_hold{hold_.id});
  }
  const bool all_paid = paid_ && unpaid(ended_->used).amount == credits{};
  if (hold_.gone) return all_paid ? finish(credits{}) : reserve_late();
  // A settlement of zero would count as another call.
  if (all_paid) return ask(state::resolving, void_hold{hold_.id});
  return settle_used(state::resolving);
}

// The hold expired before it was settled: this process was disconnected for longer than its
// timeout. Usage is never dropped, so it is charged under the hold's successor.
charge::action charge::charge_late(const hold_id& next) {
  hold_.id = next;
  return reserve_late();
}

charge::action charge::reserve_late() {
  return ask(state::late_reserving, reservation(unpaid(ended_->used).amount, admission::owed));
}

// The hold was settled when it expired, at the usage reported until then.
charge::action charge::charge_rest() {
  const bool all_paid = unpaid(ended_->used).amount == credits{};
  return all_paid ? finish(credits{}) : charge_late(hold_.id.successor());
}

charge::action charge::settle_used(state next) {
  const auto what = unpaid(ended_->used);
  return ask(next, settle{hold_.id, what.amount, what.used, what.billed_us});
}

charge::action charge::finish(credits charged) {
  state_ = state::done;
  return done{paid() + charged};
}

charge::action charge::ask(state next, operation what) {
  state_ = next;
  const bool repeatable =
      next == state::resolving || next == state::late_reserving || next == state::late_settling;
  if (repeatable) asked_ = what;
  return apply{std::move(what)};
}

reserve charge::reservation(credits amount, admission admit) const {
  return {hold_.id, amount, terms_.hold_timeout, admit, terms_.request_id, terms_.who};
}

}  // namespace tollgate::quota
