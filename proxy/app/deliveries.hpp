// The delivery settings of a configuration, constructed before any of them takes effect.
#pragma once

#include <memory>

#include "config/settings.hpp"
#include "proxy/payments/payment_endpoint.hpp"
#include "proxy/webhooks/sender.hpp"

namespace tollgate::proxy {

// Null: there is no endpoint. Throws config::setting_error.
std::shared_ptr<payments::payment_endpoint> make_payments(const config::settings& settings);
// Throws config::setting_error.
std::shared_ptr<webhooks::sender> make_webhook_sender(const config::settings& settings,
                                                      outbound::name_resolver* names);

}  // namespace tollgate::proxy
