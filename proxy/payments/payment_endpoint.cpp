#include "proxy/payments/payment_endpoint.hpp"

#include <stdexcept>

#include <spdlog/spdlog.h>

#include "proxy/payments/json_members.hpp"
#include "quota/store_error.hpp"

namespace tollgate::proxy::payments {

namespace {

outbound::url url_of(const config::payment_settings& settings) {
  auto url = outbound::parse_url(settings.url);
  if (!url) throw std::runtime_error{"payments: url is not an http or https URL"};
  return *std::move(url);
}

constexpr int most_pages = 20;
constexpr std::chrono::hours clocks_differ{1};

payment_answer unanswered(error_code ec) {
  return {quota::top_up_verdict::failed, "no answer: " + ec.message(), false};
}

payment_answer unreadable(std::string_view what, int status) {
  return {quota::top_up_verdict::failed,
          std::string{what} + ": it answered " + std::to_string(status), !passes_by_itself(status)};
}

}  // namespace

payment_endpoint::payment_endpoint(config::payment_settings settings)
    : settings_{std::move(settings)}, to_{url_of(settings_)}, client_{settings_.ca_file} {}

std::string payment_endpoint::obstacle(const payment_order& order) const {
  if (settings_.kind != config::payment_kind::stripe || !order.stripe_customer.empty()) return {};
  return "the organization has no Stripe customer; set its stripe_customer";
}

task<payment_answer> payment_endpoint::ask(payment_order order) {
  if (auto why = obstacle(order); !why.empty()) {
    co_return payment_answer{quota::top_up_verdict::failed, std::move(why), true};
  }
  const auto give_up = std::chrono::steady_clock::now() + settings_.timeout;
  if (settings_.kind == config::payment_kind::stripe) {
    co_return co_await ask_stripe(std::move(order), give_up);
  }
  co_return co_await ask_webhook(std::move(order), give_up);
}

task<payment_answer> payment_endpoint::ask_webhook(payment_order order, deadline give_up) {
  auto request = webhook_request(order, to_, settings_.secret, quota::system_clock{}.now());
  const auto reply = co_await client_.send(to_, std::move(request), give_up);
  if (!reply) co_return unanswered(reply.error());
  co_return read_webhook_answer(reply->status, reply->body);
}

// Looks for the result of earlier requests before requesting again: then neither a late answer nor
// a change of keys, customers or cards causes a second payment.
task<payment_answer> payment_endpoint::ask_stripe(payment_order order, deadline give_up) {
  if (!never_asked_for(order.top_up)) {
    found_payments found{order};
    auto unknown = co_await find_payments(order, found, give_up);
    if (unknown) co_return *std::move(unknown);
    if (auto known = found.verdict()) co_return *std::move(known);
    if (!found.to_cancel().empty()) {
      auto canceled = co_await cancel(found.to_cancel(), give_up);
      if (canceled.verdict == quota::top_up_verdict::failed) co_return canceled;
    }
  }
  co_return co_await ask_under_key(order, give_up);
}

task<payment_answer> payment_endpoint::ask_under_key(const payment_order& order, deadline give_up) {
  auto question = stripe_customer(order, to_, settings_.secret);
  const auto customer = co_await client_.send(to_, std::move(question), give_up);
  if (!customer) co_return unanswered(customer.error());
  const auto method = read_stripe_customer(*customer);
  if (!method) co_return unreadable("a question about the customer", customer->status);

  auto request = stripe_payment(order, to_, settings_.secret, *method);
  const auto reply = co_await client_.send(to_, std::move(request), give_up);
  if (!reply) co_return unanswered(reply.error());
  auto got = read_stripe_payment(*reply, order);
  co_return co_await judge(order, std::move(got), give_up);
}

// A doubtful key gets this many attempts, with growing pauses (quota::delivery_back_off), and a
// last pause (quota::next_key_back_off): by then no request under it is running any more.
constexpr std::int64_t attempts_at_doubtful_key = 4;

task<payment_answer> payment_endpoint::judge(const payment_order& order, stripe_answer got,
                                             deadline give_up) {
  if (got.answer.verdict != quota::top_up_verdict::failed || got.key == key_state::good) {
    co_return std::move(got.answer);
  }
  found_payments found{order};
  auto unknown = co_await find_payments(order, found, give_up);
  if (unknown) co_return *std::move(unknown);
  if (auto known = found.verdict()) co_return *std::move(known);
  const bool spent =
      got.key == key_state::spent || order.top_up.attempts >= attempts_at_doubtful_key;
  if (spent) got.answer.verdict = quota::top_up_verdict::spent;
  co_return std::move(got.answer);
}

task<payment_answer> payment_endpoint::cancel(const std::vector<std::string>& payments,
                                              deadline give_up) {
  for (const auto& payment : payments) {
    auto request = stripe_cancel(payment, to_, settings_.secret);
    const auto reply = co_await client_.send(to_, std::move(request), give_up);
    if (!reply) co_return unanswered(reply.error());
    if (reply->status != 200) co_return unreadable("canceling an earlier payment", reply->status);
  }
  co_return payment_answer{quota::top_up_verdict::declined, {}, false};
}

// The list has the latest payments of the organization's current customer. The search has older
// ones of any customer, including those from before a top-up bought by hand was requested again.
task<payment_endpoint::maybe_answer> payment_endpoint::find_payments(const payment_order& order,
                                                                     found_payments& found,
                                                                     deadline give_up) {
  const auto since = first_requested(order.top_up).value_or(order.top_up.requested_at);
  payments_page page;
  page.from = since - clocks_differ;
  auto unknown = co_await list(order, found, std::move(page), give_up);
  if (unknown || found.any()) co_return unknown;
  co_return co_await search(order, found, give_up);
}

task<payment_endpoint::maybe_answer> payment_endpoint::list(const payment_order& order,
                                                            found_payments& found,
                                                            payments_page page, deadline give_up) {
  for (int number = 0; number < most_pages; ++number) {
    auto question = stripe_payments(order, to_, settings_.secret, page);
    const auto reply = co_await client_.send(to_, std::move(question), give_up);
    if (!reply) co_return unanswered(reply.error());
    const auto document = reply->status == 200 ? read_object(reply->body) : std::nullopt;
    bool fine = document.has_value();
    if (fine) page.after = found.take(*document, fine);
    if (!fine) co_return unreadable("a list of the customer's payments", reply->status);
    if (page.after.empty()) co_return std::nullopt;
  }
  co_return payment_answer{quota::top_up_verdict::failed,
                           page.of_everyone
                               ? "search is not available, and there are too many payments to list"
                               : "the customer has too many payments to search",
                           true};
}

// A refused search tells nothing: if Stripe does not offer it, or the key may not use it, the
// payments of all customers are searched, since the organization may have had another customer
// before.
task<payment_endpoint::maybe_answer> payment_endpoint::search(const payment_order& order,
                                                              found_payments& found,
                                                              deadline give_up) {
  auto question = stripe_search(order, to_, settings_.secret);
  const auto reply = co_await client_.send(to_, std::move(question), give_up);
  if (!reply) co_return unanswered(reply.error());
  if (passes_by_itself(reply->status)) co_return unreadable("a search for payments", reply->status);
  const auto document = reply->status == 200 ? read_object(reply->body) : std::nullopt;
  bool fine = document.has_value();
  if (fine) found.take(*document, fine);
  if (fine) co_return std::nullopt;
  payments_page page;
  page.of_everyone = true;
  if (const auto first = first_requested(order.top_up)) page.from = *first - clocks_differ;
  co_return co_await list(order, found, std::move(page), give_up);
}

task<std::optional<payment_answer>> payment_endpoint::look_up(payment_order order) {
  if (settings_.kind != config::payment_kind::stripe || !obstacle(order).empty()) {
    co_return std::nullopt;
  }
  const auto give_up = std::chrono::steady_clock::now() + settings_.timeout;
  found_payments found{order};
  auto unknown = co_await find_payments(order, found, give_up);
  if (unknown) co_return unknown;
  co_return found.verdict();
}

task<result<std::optional<payment_owner>>> payment_endpoint::find_owner(std::string payment,
                                                                        std::string charge) {
  const auto give_up = std::chrono::steady_clock::now() + settings_.timeout;
  result<std::optional<payment_owner>> owner = std::optional<payment_owner>{};
  if (!payment.empty()) owner = co_await owner_at("payment_intents/" + payment, give_up);
  if (owner && *owner) {
    (*owner)->payment = payment;
  } else if (owner && !charge.empty()) {
    owner = co_await owner_at("charges/" + charge, give_up);
  }
  if (owner && *owner && (*owner)->org.empty()) owner = std::optional<payment_owner>{};
  co_return owner;
}

task<result<std::optional<payment_owner>>> payment_endpoint::owner_at(std::string path,
                                                                      deadline give_up) {
  auto question = stripe_object(path, to_, settings_.secret);
  const auto reply = co_await client_.send(to_, std::move(question), give_up);
  if (!reply) co_return reply.error();
  if (reply->status == 404) co_return std::optional<payment_owner>{};
  const auto document = reply->status == 200 ? read_object(reply->body) : std::nullopt;
  if (!document) {
    if (!passes_by_itself(reply->status)) {
      spdlog::error("stripe: {} cannot be read: it answered {}", path, reply->status);
    }
    co_return quota::store_errc::unavailable;
  }
  auto owner = owner_of(*document).value_or(payment_owner{});
  owner.payment = text_at(*document, "payment_intent");  // of a charge
  co_return std::optional{std::move(owner)};
}

std::shared_ptr<payment_endpoint> make_payment_endpoint(const config::payment_settings& settings) {
  if (settings.kind == config::payment_kind::none) return nullptr;
  return std::make_shared<payment_endpoint>(settings);
}

}  // namespace tollgate::proxy::payments
