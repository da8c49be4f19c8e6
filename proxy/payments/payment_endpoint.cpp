#include "proxy/payments/payment_endpoint.hpp"

#include <stdexcept>

namespace tollgate::proxy::payments {

namespace {

outbound::url url_of(const config::payment_settings& settings) {
  auto url = outbound::parse_url(settings.url);
  if (!url) throw std::runtime_error{"payments: url is no http or https URL"};
  return *std::move(url);
}

payment_answer unanswered(error_code ec) {
  return {quota::top_up_verdict::failed, "no answer: " + ec.message(), false};
}

}  // namespace

payment_endpoint::payment_endpoint(config::payment_settings settings)
    : settings_{std::move(settings)}, to_{url_of(settings_)}, client_{settings_.ca_file} {}

std::string payment_endpoint::obstacle(const payment_order& order) const {
  if (settings_.kind != config::payment_kind::stripe || !order.stripe_customer.empty()) return {};
  return "the organization has no Stripe customer; set its stripe_customer";
}

task<payment_answer> payment_endpoint::ask(payment_order order, quota::time_point now) {
  if (auto why = obstacle(order); !why.empty()) {
    co_return payment_answer{quota::top_up_verdict::failed, std::move(why), true};
  }
  const auto give_up = std::chrono::steady_clock::now() + settings_.timeout;
  if (settings_.kind == config::payment_kind::stripe) {
    co_return co_await ask_stripe(std::move(order), now, give_up);
  }
  co_return co_await ask_webhook(std::move(order), give_up);
}

task<payment_answer> payment_endpoint::ask_webhook(payment_order order, deadline give_up) {
  auto request = webhook_request(order, to_, settings_.secret, quota::system_clock{}.now());
  const auto reply = co_await client_.send(to_, std::move(request), give_up);
  if (!reply) co_return unanswered(reply.error());
  co_return read_webhook_answer(reply->status, reply->body);
}

task<payment_answer> payment_endpoint::ask_stripe(payment_order order, quota::time_point now,
                                                  deadline give_up) {
  if (stripe_may_have_forgotten(order.top_up, now)) {
    auto known = co_await search_stripe(order, give_up);
    if (known) co_return *std::move(known);
  }
  auto question = stripe_customer(order, to_, settings_.secret);
  const auto customer = co_await client_.send(to_, std::move(question), give_up);
  if (!customer) co_return unanswered(customer.error());
  const auto method = read_stripe_customer(customer->status, customer->body);
  if (!method) co_return read_stripe_answer(customer->status, customer->body);

  auto request = stripe_payment(order, to_, settings_.secret, *method);
  const auto reply = co_await client_.send(to_, std::move(request), give_up);
  if (!reply) co_return unanswered(reply.error());
  if (is_stripe_key_reused(reply->status, reply->body)) {
    auto known = co_await search_stripe(order, give_up);
    if (known) co_return *std::move(known);
  }
  co_return read_stripe_answer(reply->status, reply->body);
}

// What became of earlier attempts. Nothing: there was none that Stripe knows of.
task<std::optional<payment_answer>> payment_endpoint::search_stripe(const payment_order& order,
                                                                    deadline give_up) {
  auto question = stripe_search(order, to_, settings_.secret);
  const auto reply = co_await client_.send(to_, std::move(question), give_up);
  if (!reply) co_return unanswered(reply.error());
  co_return read_stripe_search(reply->status, reply->body);
}

std::shared_ptr<payment_endpoint> make_payment_endpoint(const config::payment_settings& settings) {
  if (settings.kind == config::payment_kind::none) return nullptr;
  return std::make_shared<payment_endpoint>(settings);
}

}  // namespace tollgate::proxy::payments
