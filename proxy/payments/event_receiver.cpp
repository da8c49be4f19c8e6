#include "proxy/payments/event_receiver.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "proxy/payments/stripe_signature.hpp"
#include "routes/text.hpp"

namespace tollgate::proxy::payments {

namespace {

using ends = metrics::payment_event_end;
using kind = stripe_event::kind;

admin::api_error refused(int status, std::string code, std::string message) {
  admin::api_error error;
  error.status = status;
  error.code = std::move(code);
  error.message = std::move(message);
  return error;
}

std::string describe(const stripe_event& event) {
  return "event=" + routes::shown(event.id) + " type=" + routes::shown(event.type) +
         " payment=" + routes::shown(event.payment);
}

// A dispute may concern a part of the charge, whose own amount it does not state.
payment_mismatch differs(const stripe_event& event, const payment_order& order) {
  if (event.what == kind::refunded) return compare_money(event.object, order);
  if (event.what != kind::disputed) return compare(event.object, order);
  const bool usd = text_at(event.object, "currency") == "usd";
  return usd ? payment_mismatch::none : payment_mismatch::currency;
}

// The state of a top-up decides what an event may still change. A failed payment ends it only if it
// was requested under the current key.
bool still_matters(const stripe_event& event, const quota::top_up_record& top_up) {
  const bool open = top_up.status == quota::top_up_status::requested ||
                    top_up.status == quota::top_up_status::pending;
  switch (event.what) {
    case kind::pending:
      return top_up.status == quota::top_up_status::requested;
    case kind::failed:
      return open && event.owner && event.owner->generation == top_up.generation;
    case kind::refunded:
    case kind::disputed:
      return event.cents > 0;
    case kind::paid:
      return true;
    case kind::other:
      break;
  }
  return false;
}

bool takes_back(const stripe_event& event, const config::stripe_event_settings& settings) {
  if (event.what == kind::refunded) return settings.take_back_refunds;
  if (event.what == kind::disputed) return settings.take_back_disputes;
  return true;
}

// Nothing is left to do. After any other outcome Stripe sends the event again: there may be no
// other way to learn of the payment, and credits that do not fit today may fit later.
bool is_booked(quota::outcome result) {
  using quota::outcome;
  switch (result) {
    case outcome::granted:
    case outcome::recorded:
    case outcome::exists:
    case outcome::already_paid:
    case outcome::already_declined:
      return true;
    default:
      return false;
  }
}

quota::operation operation_of(const stripe_event& event, const quota::top_up_record& top_up) {
  using quota::top_up_verdict;
  if (event.what == kind::refunded || event.what == kind::disputed) {
    const auto reason = event.what == kind::refunded ? quota::take_back_reason::refund
                                                     : quota::take_back_reason::dispute;
    return quota::take_back_top_up{top_up.id, reason, std::min(event.cents, top_up.cents)};
  }
  const auto verdict = event.what == kind::paid      ? top_up_verdict::paid
                       : event.what == kind::pending ? top_up_verdict::pending
                                                     : top_up_verdict::declined;
  return quota::resolve_top_up{top_up.id, verdict, top_up.generation};
}

}  // namespace

task<admin::api_response> event_receiver::take(event_delivery delivery) {
  const auto id = delivery.request_id;
  const auto refuse = [&](ends how, const admin::api_error& error) {
    counts_.events[how].increment();
    return admin::failure(error, id);
  };
  if (delivery.method != "POST") {
    co_return refuse(ends::refused, admin::method_not_allowed("POST"));
  }
  const auto endpoint = endpoint_;  // a reload may replace or remove it meanwhile
  if (!endpoint || endpoint->settings().events.secrets.empty()) {
    co_return refuse(ends::refused,
                     refused(404, "not_found", "payments.stripe.webhook_secret is not set"));
  }
  const auto why = refuse_stripe_signature(delivery.signature, delivery.body,
                                           endpoint->settings().events.secrets, clock_.now());
  if (!why.empty()) {
    spdlog::warn("stripe event refused: {} request_id={}", why, id);
    co_return refuse(ends::refused, refused(400, "invalid_signature", why));
  }
  const auto event = read_stripe_event(delivery.body);
  if (!event) {
    co_return refuse(ends::refused, refused(400, "invalid_request", "not an event of Stripe"));
  }
  auto how = ends::repeated;
  if (!known_.contains(event->id)) how = co_await apply(*event, *endpoint);
  if (how == ends::unavailable) {
    co_return refuse(how, refused(503, "ledger_unavailable", "not now; send the event again"));
  }
  remember(event->id);
  counts_.events[how].increment();
  co_return admin::success(R"({"received":true})");
}

void event_receiver::remember(const std::string& event) {
  if (!known_.insert(event).second) return;
  in_turn_.push_back(event);
  if (in_turn_.size() <= most_remembered) return;
  known_.erase(in_turn_.front());
  in_turn_.pop_front();
}

task<ends> event_receiver::apply(stripe_event event, payment_endpoint& by) {
  if (event.what == kind::other) co_return ends::ignored;
  const auto order = co_await find_order(event, by);
  if (!order) co_return ends::unavailable;
  if (!*order) {
    report_stray(event);
    co_return ends::ignored;
  }
  co_return co_await apply_to(event, **order, by);
}

// A payment for a top-up that this store does not know: it may belong to another Tollgate with the
// same Stripe account, or this store was restored from an older copy.
void event_receiver::report_stray(const stripe_event& event) {
  if (event.what != kind::paid || !event.owner) return;
  counts_.mismatches[payment_mismatch::metadata].increment();
  spdlog::warn("payment mismatch: unknown top-up org={} top_up={}: {}",
               routes::shown(event.owner->org), routes::shown(event.owner->top_up),
               describe(event));
}

// Nullopt: it is not for one of our top-ups. An error: unknown at the moment.
task<result<std::optional<payment_order>>> event_receiver::find_order(stripe_event& event,
                                                                      payment_endpoint& by) {
  std::optional<payment_order> none;
  auto owner = event.owner;
  if (!owner && (event.what == kind::refunded || event.what == kind::disputed)) {
    auto found = co_await by.find_owner(event.payment, event.charge);
    if (!found) co_return found.error();
    owner = *std::move(found);
    if (owner && !owner->payment.empty()) event.payment = owner->payment;
  }
  if (!owner || !quota::is_valid_org_id(owner->org)) co_return none;
  const auto org = co_await directory_.find(owner->org);
  if (!org) co_return org.error();
  if (!*org) co_return none;
  auto top_ups = co_await history_.top_ups(owner->org);
  if (!top_ups) co_return top_ups.error();
  const auto known = std::ranges::find(*top_ups, owner->top_up, &quota::top_up_record::id);
  if (known == top_ups->end()) co_return none;
  payment_order order;
  order.org = owner->org;
  order.top_up = std::move(*known);
  order.stripe_customer = (*org)->stripe_customer;
  co_return std::optional{std::move(order)};
}

task<ends> event_receiver::apply_to(const stripe_event& event, const payment_order& order,
                                    payment_endpoint& by) {
  const auto differ = differs(event, order);
  if (differ != payment_mismatch::none) co_return mismatch(order, differ, event);
  if (!still_matters(event, order.top_up)) co_return ends::ignored;
  if (event.what == kind::paid) co_return co_await pay(event, order, by);
  if (event.what == kind::refunded || event.what == kind::disputed) {
    co_return co_await take_back(event, order, by);
  }
  co_return co_await tell(event, order);
}

// Remembers the payment first, so that a refund of another payment never takes its credits back.
task<ends> event_receiver::pay(const stripe_event& event, const payment_order& order,
                               payment_endpoint& by) {
  const auto counts = co_await payments_.remember(order.org, order.top_up.id, event.payment);
  if (!counts) co_return ends::unavailable;
  const auto how = co_await tell(event, order);
  if (how != ends::applied) co_return how;
  payment_answer answer;
  answer.payment = event.payment;
  say_which_counts(answer, *counts);
  if (answer.alarming) report_paid_twice(order, answer);
  // Releases that remembered no payments may have granted it for another payment.
  const bool again = order.top_up.generation > 0 && !answer.alarming;
  if (again) co_return co_await look_for_second_payment(order, *counts, by);
  co_return how;
}

task<ends> event_receiver::take_back(const stripe_event& event, const payment_order& order,
                                     payment_endpoint& by) {
  const bool wanted = takes_back(event, by.settings().events);
  result<bool> ours = wanted;
  if (wanted) ours = co_await is_granted_for(event, order, by);
  if (!ours) co_return ends::unavailable;
  if (*ours) co_return co_await tell(event, order);
  spdlog::warn("stripe: org={} top_up={} cents={} credits are kept{}: {}", order.org,
               order.top_up.id, event.cents, wanted ? ", they are for another payment" : "",
               describe(event));
  co_return ends::ignored;
}

// A top-up granted under a later key may also have been paid under an earlier one. If no payment
// was remembered, Stripe knows whether there are two: then it is unknown which one the credits are
// for.
task<result<bool>> event_receiver::is_granted_for(const stripe_event& event,
                                                  const payment_order& order,
                                                  payment_endpoint& by) {
  // Not from a constant: that would convert to bool and make a result<bool> that is true.
  const auto unknown = [] {
    return result<bool>{boost::system::in_place_error,
                        make_error_code(quota::store_errc::unavailable)};
  };
  const auto counts = co_await payments_.find(order.org, order.top_up.id);
  if (!counts) co_return unknown();
  if (!counts->empty()) co_return event.payment.empty() || *counts == event.payment;
  if (order.top_up.generation == 0) co_return true;
  // The event is sent again once the payment that counts is known.
  if (order.top_up.status != quota::top_up_status::paid) co_return unknown();
  const auto found = co_await by.look_up(order);
  if (!found) co_return true;
  if (found->verdict == quota::top_up_verdict::failed) co_return unknown();
  if (found->mismatch != payment_mismatch::paid_twice) co_return true;
  report_paid_twice(order, *found);
  co_return false;
}

task<ends> event_receiver::tell(const stripe_event& event, const payment_order& order) {
  const auto what = operation_of(event, order.top_up);
  const auto reply = co_await ledger_.apply(order.org, what);
  if (!reply) co_return ends::unavailable;
  const auto text = describe(event);
  spdlog::info("stripe event: org={} top_up={} ledger={} credits={} {}", order.org, order.top_up.id,
               to_string(reply->result), quota::to_string(reply->amount), text);
  if (is_booked(reply->result)) co_return ends::applied;
  spdlog::error("refused by the ledger: org={} top_up={} {}", order.org, order.top_up.id, text);
  co_return ends::unavailable;
}

task<ends> event_receiver::look_for_second_payment(payment_order order, std::string counts,
                                                   payment_endpoint& by) {
  auto known = co_await by.look_up(order);
  if (known && known->mismatch == payment_mismatch::paid_twice) {
    say_which_counts(*known, counts);
    report_paid_twice(order, *known);
  }
  co_return ends::applied;
}

void event_receiver::report_paid_twice(const payment_order& order, const payment_answer& answer) {
  counts_.mismatches[payment_mismatch::paid_twice].increment();
  spdlog::error("payment mismatch: org={} top_up={} {}", order.org, order.top_up.id, answer.why);
}

// Repeating the event would change nothing: it is accepted and counted, and an operator has to
// check it.
ends event_receiver::mismatch(const payment_order& order, payment_mismatch what,
                              const stripe_event& event) {
  counts_.mismatches[what].increment();
  spdlog::error("payment mismatch: org={} top_up={} cents={} the payment has another {}: {}",
                order.org, order.top_up.id, order.top_up.cents, name_of(what), describe(event));
  return ends::ignored;
}

}  // namespace tollgate::proxy::payments
