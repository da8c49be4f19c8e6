#include "proxy/app/deliveries.hpp"

#include "config/setting_error.hpp"

namespace tollgate::proxy {

std::shared_ptr<payments::payment_endpoint> make_payments(const config::settings& settings) {
  const bool stripe = settings.payments.kind == config::payment_kind::stripe;
  const auto* const key = stripe ? "payments.stripe.ca_file" : "payments.webhook.ca_file";
  return config::using_setting(key,
                               [&] { return payments::make_payment_endpoint(settings.payments); });
}

std::shared_ptr<webhooks::sender> make_webhook_sender(const config::settings& settings,
                                                      outbound::name_resolver* names) {
  return config::using_setting("webhooks.ca_file", [&] {
    return std::make_shared<webhooks::sender>(settings.webhooks, names);
  });
}

}  // namespace tollgate::proxy
